/** Texts that somebody else wrote and a person reads: no character in them changes how others are shown. */
import * as z from 'zod';

/**
 * Controls, half surrogates and what will never be a character; marks that turn the direction of what follows; signs without a width that
 * no script needs. Joiners stay: Persian and families of emoji are written with them. One letter for another (а for a) is
 * not noticed: nothing is known by its name here, but by a hash or an address.
 */
const UNSHOWN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/u; // prettier-ignore
/** Marks on one letter; the languages of the world get by with fewer. */
const PILED_UP = /\p{M}{5}/u;

const isShown = (text: string): boolean => !UNSHOWN.test(text) && !PILED_UP.test(text);

/** A line of at most so many UTF-16 units, of which at least one is to be seen. */
export const shownText = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .refine((text) => text.trim() !== '' && isShown(text), 'must be a line of text without invisible characters');

const UNSHOWN_BUT_LINES = new RegExp(UNSHOWN.source.replace('[', '(?!\\n)['), 'gu');

/** A text for a terminal, which such characters would command. */
export function forTerminal(text: string): string {
  return text.replaceAll(UNSHOWN_BUT_LINES, '\u{fffd}');
}
