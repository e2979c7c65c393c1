/** That this browser was contributing to a validator, remembered until a person stops it: a tab that comes back goes on. */
import * as z from 'zod';

const IntentSchema = z.object({
  /** The window after which it was to stop, if it was. */
  finishingWindow: z.int().positive().nullable(),
});
export type Intent = z.infer<typeof IntentSchema>;

const keyOf = (validatorUrl: string): string => `gauntlet.contributing ${new URL(validatorUrl).origin}`;

export function readIntent(validatorUrl: string): Intent | undefined {
  try {
    return IntentSchema.parse(JSON.parse(localStorage.getItem(keyOf(validatorUrl)) ?? 'null'));
  } catch {
    // None, forbidden, or of an older version.
    return undefined;
  }
}

export function rememberIntent(validatorUrl: string, intent: Intent | undefined): void {
  try {
    if (intent) localStorage.setItem(keyOf(validatorUrl), JSON.stringify(intent));
    else localStorage.removeItem(keyOf(validatorUrl));
  } catch {
    // Not remembered, then.
  }
}

/** Whether to go on, and how, in the window that is open now. */
export function comingBack(intent: Intent | undefined, window: number): { readonly finishing: boolean } | undefined {
  if (!intent) return undefined;
  if (intent.finishingWindow === null) return { finishing: false };
  return intent.finishingWindow === window ? { finishing: true } : undefined;
}
