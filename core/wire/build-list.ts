/**
 * The list of a build's files (dist/build.json) and the one hash that stands for all of them. It is the hash of what
 * `sha256sum` prints of the same files in the order of their paths.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';

const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const BuildListSchema = z.strictObject({
  hash: Sha256Schema,
  /** By path, relative to the page. */
  files: z.record(z.string().min(1).max(300), Sha256Schema),
});

export type BuildList = z.infer<typeof BuildListSchema>;

/** Many times what a build has. */
export const MAX_BUILD_LIST_BYTES = 2 ** 20;

export function buildHash(files: BuildList['files']): string {
  const lines = Object.keys(files)
    .sort()
    .map((path) => `${files[path]!}  ./${path}\n`);
  return bytesToHex(sha256(utf8ToBytes(lines.join(''))));
}
