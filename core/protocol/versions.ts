/**
 * Who can work together. A run is of the protocol that its signed manifest names, from its first window to its last; who
 * speaks that one can take part, whatever else they speak. A validator names the run's with every answer, a client names
 * those that it speaks with everything that it asks to be changed.
 */
import { NEWEST_PROTOCOL, OLDEST_PROTOCOL } from './spoken.ts';

/** Of an answer: the run's protocol. Of a request: those that the client speaks, as in `1` or `1..2`. */
export const PROTOCOL_HEADER = 'gauntlet-protocol';

/** Both ends included. */
export interface ProtocolRange {
  readonly oldest: number;
  readonly newest: number;
}

export const SPOKEN: ProtocolRange = { oldest: OLDEST_PROTOCOL, newest: NEWEST_PROTOCOL };

/** Who does not say what it speaks was made before anybody did. */
export const UNSAID: ProtocolRange = { oldest: 1, newest: 1 };

export const speaks = (protocol: number, { oldest, newest }: ProtocolRange = SPOKEN): boolean =>
  oldest <= protocol && protocol <= newest;

export const formatRange = ({ oldest, newest }: ProtocolRange): string =>
  oldest === newest ? String(oldest) : `${oldest}..${newest}`;

/** Undefined for a text that is none. */
export function parseRange(text: string): ProtocolRange | undefined {
  const [, oldest, newest = oldest] = /^(\d{1,4})(?:\.\.(\d{1,4}))?$/.exec(text) ?? [];
  if (oldest === undefined || Number(oldest) > Number(newest)) return undefined;
  return { oldest: Number(oldest), newest: Number(newest) };
}

/** A run is of a protocol that this program does not speak: one of the two has to be of another version. */
export class ProtocolError extends Error {
  override readonly name: 'ProgramTooOldError' | 'ProgramTooNewError';
  readonly protocol: number;
  readonly remedy: string;

  constructor(protocol: number) {
    super(`The run is of protocol ${protocol}, and this program speaks ${formatRange(SPOKEN)}.`);
    this.protocol = protocol;
    const tooOld = protocol > SPOKEN.newest;
    this.name = tooOld ? 'ProgramTooOldError' : 'ProgramTooNewError';
    this.remedy = tooOld
      ? 'Use a newer version of this program.'
      : 'Use the version of this program that the run’s validator is of.';
  }
}

/** @throws ProtocolError for a run that this program can only misread */
export function assertSpoken(protocol: number): void {
  if (!speaks(protocol)) throw new ProtocolError(protocol);
}
