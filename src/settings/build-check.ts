/** Which build the site serves, by the one hash of it, and whether what this page executes belongs to it. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { boundedFetch } from '../../client/http.ts';
import { buildHash, BuildListSchema, MAX_BUILD_LIST_BYTES, type BuildList } from '../../core/wire/build-list.ts';
import { knownHashes } from '../../workers/known-hashes.ts';

export interface BuildCheck {
  /** Of the build that the site says it serves. */
  readonly hash: string;
  /** Files of this page that are not that build's, by their path; empty where all is well. */
  readonly foreign: readonly string[];
}

const PAGE = 'index.html';
const LIST = 'build.json';
const TIMEOUT_MS = 20_000;
const MAX_PAGE_BYTES = 2 ** 20;

const PREFIX = 'sha256-';

/**
 * @param list as the site gave it
 * @param executed `sha256-…` of each file that the page executes, by its path
 */
export function compareBuild(list: BuildList, executed: ReadonlyMap<string, string>): BuildCheck {
  const foreign = [...executed]
    .filter(([path, hash]) => {
      const known = Object.hasOwn(list.files, path) ? list.files[path] : undefined;
      return known !== bytesToHex(base64.decode(hash.slice(PREFIX.length)));
    })
    .map(([path]) => path);
  // A list that does not come to its own hash says nothing of any file.
  return { hash: list.hash, foreign: buildHash(list.files) === list.hash ? foreign : [LIST, ...foreign] };
}

/**
 * A site that lies to its visitors can lie here too: the hash is for comparing with what the sources come to elsewhere.
 *
 * @returns undefined where there is nothing to compare: while developing
 * @throws UnreachableError, or an Error where the list is none
 */
export async function checkBuild(): Promise<BuildCheck | undefined> {
  const base = new URL('.', document.baseURI).href;
  const known = knownHashes();
  if (known.size === 0) return undefined;
  const get = (path: string, maxBytes: number): Promise<Uint8Array> =>
    boundedFetch((input, init) => fetch(input, init), base + path, { timeoutMs: TIMEOUT_MS, maxBytes });
  const [text, page] = await Promise.all([get(LIST, MAX_BUILD_LIST_BYTES), get(PAGE, MAX_PAGE_BYTES)]);
  const list = BuildListSchema.parse(JSON.parse(new TextDecoder().decode(text)));
  const executed = new Map([...known].map(([url, hash]) => [url.slice(base.length), hash]));
  executed.set(PAGE, PREFIX + base64.encode(sha256(page)));
  return compareBuild(list, executed);
}
