/** The one byte form of a JSON value that is signed or hashed: RFC 8785. */
import canonicalize from 'canonicalize';

/** @throws TypeError for a value JSON cannot hold (NaN, Infinity, a cycle). */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return new TextEncoder().encode(text);
}
