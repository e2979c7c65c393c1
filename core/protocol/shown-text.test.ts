import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileText } from '../testing/hostile.ts';
import { forTerminal, shownText } from './shown-text.ts';

const schema = shownText(80);

describe('a name', () => {
  it.each([
    'nano on public-domain English',
    'Züricher Läufe, §3 (50 %)',
    'می‌خواهم',
    'עברית',
    '日本語のモデル',
    'नमस्ते',
    'Việt Nam',
    '👩‍👩‍👧‍👦 🏳️‍🌈',
    'the “Gauntlet”\u{a0}of 2026',
  ])('may be %s', (name) => {
    expect(schema.parse(name)).toBe(name);
    expect(forTerminal(name)).toBe(name);
  });

  it.each([
    ['nothing', ''],
    ['spaces', ' \u{a0}\u{3000}'],
    ['too long', 'a'.repeat(81)],
    ['turned around', 'ru\u{202e}gnp.exe'],
    ['isolated', 'a\u{2066}b\u{2069}'],
    ['marked for a direction', 'a\u{200f}b'],
    ['split by nothing', 'ga\u{200b}untlet'],
    ['joined by nothing', 'ga\u{2060}untlet'],
    ['begun by a mark of bytes', '\u{feff}gauntlet'],
    ['with a soft hyphen', 'gaunt\u{ad}let'],
    ['tagged in invisible letters', 'gauntlet\u{e0041}\u{e0042}'],
    ['several lines', 'a\nb'],
    ['several lines by other signs', 'a\u{2028}b'],
    ['a command of a terminal', '\u{1b}[2Jgauntlet'],
    ['a command in one character', '\u{9b}2Jgauntlet'],
    ['a zero byte', 'a\0b'],
    ['half a character', 'a\ud800b'],
    ['the other half', 'a\udc00b'],
    ['no character ever', 'a\u{ffff}'],
    ['piled up', `e${'\u{301}'.repeat(20)}`],
  ])('is not %s', (_, name) => {
    expect(schema.safeParse(name).success).toBe(false);
  });

  it('of any kind is refused, or can be shown, stored and signed as it is', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        const { success } = schema.safeParse(text);
        if (success) expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text);
        expect(forTerminal(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
    );
  });
});

it('a text for a terminal keeps its lines, and commands nothing', () => {
  expect(forTerminal('first\nsecond \u{1b}]0;title\u{7}\u{202e}x\r')).toBe(
    'first\nsecond \u{fffd}]0;title\u{fffd}\u{fffd}x\u{fffd}',
  );
});
