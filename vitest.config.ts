import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,engine,src,client,workers,validator,simulate,bench}/**/*.test.{ts,tsx}'],
    environment: 'node',
    pool: 'threads',
    testTimeout: 30_000,
  },
});
