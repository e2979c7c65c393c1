import { defineConfig } from 'vitest/config';
import { translations } from './vite.lingui.ts';

export default defineConfig({
  plugins: [translations()],
  test: {
    include: ['{core,chain,engine,src,client,workers,validator,simulate,bench}/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['src/i18n/testing/english.ts'],
    pool: 'threads',
    // By default one core is left to the watcher that nobody runs here.
    maxWorkers: '100%',
    // To end what hangs, not to measure: a machine may be slow and busy.
    testTimeout: 120_000,
  },
});
