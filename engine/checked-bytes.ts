/** Files that are executed outside of the browser's own integrity checks: workers and runtimes. */

/** A file of this page is not the one it was built with. Nothing of it was executed. */
export class AlteredFileError extends Error {
  override readonly name = 'AlteredFileError';
  readonly remedy = 'Reload the page; if it happens again, tell whoever runs this site.';

  constructor(url: string) {
    const file = url.slice(url.lastIndexOf('/') + 1);
    super(`${file} is not the file that this page was built with, so it was not run.`);
  }
}

/** What is on its way may be megabytes; what a build makes is below this. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Downloads a file once and compares it with what the build knew of it.
 *
 * @param integrity `sha256-` and the hash in base64
 * @throws AlteredFileError, or an Error when it cannot be had
 */
export async function checkedBytes(url: string, integrity: string): Promise<ArrayBuffer> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
  if (Number(response.headers.get('content-length') ?? 0) > MAX_BYTES) throw new AlteredFileError(url);
  const bytes = await response.arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (integrity !== `sha256-${btoa(String.fromCharCode(...hash))}`) throw new AlteredFileError(url);
  return bytes;
}
