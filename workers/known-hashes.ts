/** What this page says of the files that it executes (vite.sealed.ts wrote it); empty while developing. */

function integrityOfImports(): Readonly<Record<string, string>> {
  const text = document.querySelector('script[type="importmap"]')?.textContent;
  return text ? (JSON.parse(text) as { integrity: Record<string, string> }).integrity : {};
}

/** @returns `sha256-…` by absolute address */
export function knownHashes(): ReadonlyMap<string, string> {
  const tags = [...document.querySelectorAll('[integrity]')].map(
    (tag) => [tag.getAttribute('src') ?? tag.getAttribute('href')!, tag.getAttribute('integrity')!] as const,
  );
  return new Map(
    [...Object.entries(integrityOfImports()), ...tags].map(([path, hash]) => [
      new URL(path, document.baseURI).href,
      hash,
    ]),
  );
}
