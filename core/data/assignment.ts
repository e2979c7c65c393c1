/**
 * Who trains which pages, and on which pages a window is evaluated: each a draw without replacement that anyone can
 * repeat from the window's published seed or beacon (the paper's SelectData(seed, uid, window); a window's seed
 * stands for seed and window).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { createRandom, seedFrom, type Random } from '../numerics/prng.ts';
import { encodePageIndex } from './pages.ts';

function draw(purpose: string, seedHex: string, ...parts: string[]): Random {
  return createRandom(seedFrom(`data/${purpose}`, hexToBytes(seedHex), ...parts));
}

/**
 * The pages a peer may train in a window, in the order to train them.
 *
 * @param assignmentSeed of the window, 64 hex digits
 * @param trainPages pages that are not held out: numbers 0 … trainPages - 1
 * @param count pages a peer and window, at most `trainPages`
 * @throws RangeError when there are not that many pages
 */
export function assignedPages(assignmentSeed: string, hotkey: string, trainPages: number, count: number): number[] {
  return draw('assigned', assignmentSeed, hotkey).sample(trainPages, count);
}

/**
 * The window's random pages, the same for every evaluated peer.
 *
 * @param beacon of the window, 64 hex digits
 * @param exclude pages that somebody under evaluation was assigned
 * @returns `count` pages, or all there are where fewer are not excluded
 */
export function randomPages(beacon: string, trainPages: number, count: number, exclude: ReadonlySet<number>): number[] {
  // Of this many distinct pages at least `count` are not excluded, if there are as many.
  const candidates = draw('random', beacon).sample(trainPages, Math.min(trainPages, count + exclude.size));
  return candidates.filter((page) => !exclude.has(page)).slice(0, count);
}

/**
 * The pages on which a peer's own data is evaluated, drawn from those it says it trained.
 *
 * @param beacon of the window, 64 hex digits
 * @param trained the trained prefix of its assigned pages
 * @returns `count` pages, or all trained ones where they are fewer
 */
export function evaluationPages(beacon: string, hotkey: string, trained: readonly number[], count: number): number[] {
  return draw('evaluation', beacon, hotkey)
    .sample(trained.length, Math.min(count, trained.length))
    .map((position) => trained[position]!);
}

/**
 * What a contribution says it was trained on: SHA-256 over the hashes of its pages, in the order trained.
 *
 * @param pageHashes 64 hex digits each
 */
export function sampleDigest(pageHashes: readonly string[]): string {
  return bytesToHex(sha256(encodePageIndex(pageHashes)));
}
