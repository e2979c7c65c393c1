/** Builds the page and its worker into dist/, and serves them while developing. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path/posix';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import react from '@vitejs/plugin-react';

import { defaultClientConditions, defineConfig, type Plugin, type RenderBuiltAssetUrl } from 'vite';
import { about, thirdPartyLicences } from './vite.about.ts';
import { translations } from './vite.lingui.ts';
import { buildList } from './vite.list.ts';
import { installable } from './vite.pwa.ts';
import { integrityOfFiles, sealed } from './vite.sealed.ts';
import { zodWithoutEval } from './vite.zod.ts';

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Where `npm start` listens by default. */
const VALIDATOR = process.env['GAUNTLET_VALIDATOR'] ?? 'http://127.0.0.1:8899';

/** WASM threads need cross-origin isolation: whoever serves dist/ must send these two as well. */
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Writes a .gz beside each asset that shrinks, for servers that send such files (the validator does). */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    writeBundle: {
      sequential: true,
      async handler({ dir }, bundle) {
        const files = Object.keys(bundle).filter((name) => /\.(html|js|mjs|css|wasm|svg)$/.test(name));
        await Promise.all(
          files.map(async (name) => {
            const path = join(dir!, name);
            await writeFile(`${path}.gz`, await gzip(await readFile(path), { level: 9 }));
          }),
        );
      },
    },
  };
}

/** In source maps the bundler's own names for emitted files remain, which follow from the order in which it came to them. */
function steadySourceMaps(): Plugin {
  return {
    name: 'steady-source-maps',
    apply: 'build',
    writeBundle: {
      sequential: true,
      async handler({ dir }, bundle) {
        for (const name of Object.keys(bundle).filter((each) => each.endsWith('.js.map'))) {
          const path = join(dir!, name);
          await writeFile(
            path,
            (await readFile(path, 'utf8')).replace(/ROLLDOWN_FILE_URL_[\w-]+/g, 'ROLLDOWN_FILE_URL'),
          );
        }
      },
    },
  };
}

/** A script that runs from checked bytes is told its address (workers/start-worker.ts); what lies beside it is found by that. */
const fromOwnScript: RenderBuiltAssetUrl = (file, { hostId, hostType }) => {
  if (hostType !== 'js' || !/\.(?:wasm|mjs)$/.test(file)) return undefined;
  const path = JSON.stringify(relative(dirname(hostId), file));
  return { runtime: `new URL(${path}, globalThis.scriptUrl ?? import.meta.url).href` };
};

const licences = thirdPartyLicences();
const proxy = { '/v1': { target: VALIDATOR, changeOrigin: false } };

export default defineConfig({
  // Relative, so that dist/ works under any path of any static host.
  base: './',
  plugins: [
    about(),
    translations(),
    zodWithoutEval(),
    react(),
    licences.collect(),
    licences.write(),
    integrityOfFiles(),
    sealed(),
    installable(),
    steadySourceMaps(),
    precompress(),
    buildList(),
  ],
  // The engine says where the runtime's script is, so a second copy of it inside the bundle would only be downloaded.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: {
    format: 'es',
    plugins: () => [zodWithoutEval(), integrityOfFiles(), licences.collect()],
    // A worker is one file: it runs from bytes that were checked, and has no address to import others from.
    rolldownOptions: { output: { codeSplitting: false } },
  },
  experimental: { renderBuiltUrl: fromOwnScript },
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
    // The chain's library and the demonstration, loaded when asked for; the first screen's weight has a test.
    chunkSizeWarningLimit: 1_100,
    // One, named by the page with its hash: the ones that scripts would load later could not be checked.
    cssCodeSplit: false,
  },
  // onnxruntime-web finds its wasm relative to itself, which pre-bundling would move.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers: ISOLATION, proxy },
  preview: { headers: ISOLATION, proxy },
});
