/**
 * The state root: a SHA-256 tree over the chunks of the parameter vector. Its leaves are the plain SHA-256 of the
 * chunks, so that a checkpoint's blob names are the leaves; a parent is SHA-256(0x01 ‖ left ‖ right), and an odd node at
 * the end of a level moves up as it is, so the root of a single chunk is its leaf. No chunk can pose as a parent: a
 * chunk's length is a multiple of 4 and a parent's input has 65 bytes.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { Digest } from './digest.ts';
import { parameterChunks } from './parameters.ts';

const HASH_BYTES = 32;
const PARENT_TAG = 1;

export interface StateRoot {
  /** Lower-case hex. */
  readonly root: string;
  /** SHA-256 of each chunk in order, lower-case hex. */
  readonly leaves: readonly string[];
}

/**
 * @param parameters flat fp32 vector in layout order, not empty
 * @param chunkBytes bytes a leaf, a multiple of 4 (manifest `checkpoint.chunkBytes`)
 * @throws RangeError for an empty vector or an impossible chunk length
 */
export async function stateRoot(
  parameters: Float32Array<ArrayBuffer>,
  chunkBytes: number,
  digest: Digest,
): Promise<StateRoot> {
  const leaves: string[] = [];
  for (const chunk of parameterChunks(parameters, chunkBytes)) leaves.push(bytesToHex(await digest(chunk)));
  return { root: rootOfLeaves(leaves), leaves };
}

/**
 * The root over leaves in hex.
 *
 * @throws RangeError when there is no leaf or one has not 32 bytes
 * @throws Error (of the hex decoder) when one is not hex
 */
export function rootOfLeaves(leaves: readonly string[]): string {
  if (leaves.length === 0) throw new RangeError('a state root needs at least one leaf');
  let level = leaves.map((leaf) => hexToBytes(leaf));
  if (level.some((leaf) => leaf.length !== HASH_BYTES)) throw new RangeError('a leaf has 32 bytes');
  while (level.length > 1) {
    const parents: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i]!;
      const right = level[i + 1];
      parents.push(right ? parent(left, right) : left);
    }
    level = parents;
  }
  return bytesToHex(level[0]!);
}

function parent(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = PARENT_TAG;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return sha256(input);
}
