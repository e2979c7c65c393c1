/** How the benchmark's page and its Node program are bundled: with the peers' packages, which are installed here. */
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, type InlineConfig } from 'vite';
import { integrityOfFiles } from '../vite.sealed.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const SHARED = {
  configFile: false,
  root: HERE,
  logLevel: 'warn',
  plugins: [integrityOfFiles()],
  resolve: {
    // As in the app: the runtime's script is named, not bundled a second time.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
    // The model and the backend must share one TensorFlow.js.
    dedupe: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
  },
} satisfies InlineConfig;

export function pageConfig(outDir: string): InlineConfig {
  return {
    ...SHARED,
    base: './',
    worker: { format: 'es', plugins: () => [integrityOfFiles()] },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      rolldownOptions: { input: `${HERE}tab.html`, checks: { bundlerTimings: false } },
    },
  };
}

/** One program for Node with everything in it but Dawn. */
export function nodeConfig(outDir: string): InlineConfig {
  return {
    ...SHARED,
    build: {
      outDir,
      emptyOutDir: true,
      target: 'node20',
      ssr: `${HERE}dawn.ts`,
      rolldownOptions: { output: { entryFileNames: 'dawn.mjs' }, checks: { bundlerTimings: false } },
    },
    ssr: {
      noExternal: true,
      external: ['webgpu'],
      resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'import', 'default'] },
    },
  };
}
