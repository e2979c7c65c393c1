import { expect, it } from 'vitest';
import { intoBlocks } from './blocks.ts';

it('writes blocks anew and leaves the rest, again and again', () => {
  const document = 'a\n\n<!-- one -->\n\nold\n\n<!-- /one -->\n\nb $& <!-- two --><!-- /two -->';
  const once = intoBlocks(document, { one: '| $& |', two: '2' });
  expect(once).toBe('a\n\n<!-- one -->\n\n| $& |\n\n<!-- /one -->\n\nb $& <!-- two -->\n\n2\n\n<!-- /two -->');
  expect(intoBlocks(once, { one: '| $& |', two: '2' })).toBe(once);
});

it('says what has no place, or nothing to stand there', () => {
  expect(() => intoBlocks('a', { one: '1' })).toThrow('no place for one');
  expect(() => intoBlocks('<!-- one -->x<!-- /one -->', {})).toThrow('nothing to write at one');
});
