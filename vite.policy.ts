/**
 * What a built page may load and execute. `vite build` writes it into each page; a server that also sends it as a header
 * reads it there (validator/adapters/static.ts), so that it is said in one place.
 */

/**
 * Hosts that the page may talk to besides its own. `?validator=URL` may name any, blobs may live in any store, and a chain
 * is read from any node, so the default is every https and wss host and this machine; an operator who serves one
 * validator narrows it.
 */
const CONNECT =
  process.env['GAUNTLET_CONNECT_SRC'] ??
  'https: wss: http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:*';

/**
 * @param inlineScripts sources (`'sha256-…'`) of what a page holds itself; that is its import map, which lists the hashes
 * of everything else
 */
export function pagePolicy(inlineScripts: readonly string[]): string {
  return [
    "default-src 'self'",
    // Workers take this policy over, and onnxruntime's script is imported from bytes that were checked: from a blob.
    ["script-src 'self' blob: 'wasm-unsafe-eval'", ...inlineScripts].join(' '),
    "worker-src 'self' blob:",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${CONNECT}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    // The page's policy, and one that a worker makes for the threads of onnxruntime (engine/checked-runtime.ts).
    'trusted-types gauntlet default',
  ].join('; ');
}
