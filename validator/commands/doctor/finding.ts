/** What a look at one thing came to. */
import { messageOf } from '../../../client/http.ts';

export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failure';
  /** What is so. */
  readonly says: string;
  /** What to do about it. */
  readonly mend?: string;
}

export const ok = (check: string, says: string): Finding => ({ check, result: 'ok', says });

export const warning = (check: string, says: string, mend: string): Finding => ({
  check,
  result: 'warning',
  says,
  mend,
});

export const failure = (check: string, says: string, mend: string): Finding => ({
  check,
  result: 'failure',
  says,
  mend,
});

/** Findings of a look that may fail itself. */
export async function looked(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failure(check, messageOf(error), 'This was not expected: report it with what is above.')];
  }
}
