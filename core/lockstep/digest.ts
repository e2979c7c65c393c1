/** The hash of chunks and blobs, injected where much is hashed: WebCrypto is several times faster than JavaScript. */
import { sha256 } from '@noble/hashes/sha2.js';

/** SHA-256 of some bytes: 32 bytes. */
export type Digest = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/** The default: pure JavaScript, everywhere the same. */
export const sha256Digest: Digest = (bytes) => Promise.resolve(sha256(bytes));
