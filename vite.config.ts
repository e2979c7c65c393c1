/** Builds the page and its worker into dist/, and serves them while developing. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import react from '@vitejs/plugin-react';

import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { about, thirdPartyLicences } from './vite.about.ts';
import { translations } from './vite.lingui.ts';
import { installable } from './vite.pwa.ts';

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Where `npm start` listens by default. */
const VALIDATOR = process.env['GAUNTLET_VALIDATOR'] ?? 'http://127.0.0.1:8899';

/**
 * Hosts that the page may talk to besides its own. `?validator=URL` may name any, blobs may live in any store, and a chain
 * is read from any node, so the default is every https and wss host and this machine; an operator who serves one
 * validator narrows it.
 */
const CONNECT =
  process.env['GAUNTLET_CONNECT_SRC'] ??
  'https: wss: http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:*';

/** WASM threads need cross-origin isolation: whoever serves dist/ must send these two as well. */
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' data:",
  `connect-src 'self' ${CONNECT}`,
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** In the built page only: the development server injects inline scripts. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Writes a .gz beside each asset that shrinks, for servers that send such files (the validator does). */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    async writeBundle({ dir }, bundle) {
      const files = Object.keys(bundle).filter((name) => /\.(js|mjs|css|wasm|svg)$/.test(name));
      await Promise.all(
        files.map(async (name) => {
          const path = join(dir!, name);
          await writeFile(`${path}.gz`, await gzip(await readFile(path), { level: 9 }));
        }),
      );
    },
  };
}

const licences = thirdPartyLicences();
const proxy = { '/v1': { target: VALIDATOR, changeOrigin: false } };

export default defineConfig({
  // Relative, so that dist/ works under any path of any static host.
  base: './',
  plugins: [
    about(),
    translations(),
    react(),
    licences.collect(),
    licences.write(),
    contentSecurityPolicy(),
    installable(),
    precompress(),
  ],
  // The engine says where the runtime's script is, so a second copy of it inside the bundle would only be downloaded.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es', plugins: () => [licences.collect()] },
  build: {
    rolldownOptions: {
      checks: { bundlerTimings: false },
      // The app, and the widget for other sites.
      input: ['index.html', 'embed.html'],
    },
    outDir: 'dist',
    sourcemap: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
  },
  // onnxruntime-web finds its wasm relative to itself, which pre-bundling would move.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers: ISOLATION, proxy },
  preview: { headers: ISOLATION, proxy },
});
