/** Places of a document that a command writes: what stands between `<!-- name -->` and `<!-- /name -->`. */

/**
 * @returns the document with these blocks anew
 * @throws RangeError when a block has no place in it, or a place has no block
 */
export function intoBlocks(document: string, blocks: Readonly<Record<string, string>>): string {
  const left = new Set(Object.keys(blocks));
  const written = document.replace(/<!-- ([a-z]+) -->[^]*?<!-- \/\1 -->/g, (_, name: string) => {
    const text = blocks[name];
    if (text === undefined) throw new RangeError(`there is nothing to write at ${name}`);
    left.delete(name);
    return `<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->`;
  });
  if (left.size > 0) throw new RangeError(`there is no place for ${[...left].join(', ')}`);
  return written;
}
