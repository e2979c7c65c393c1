import './engine/without-telemetry.ts';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { translations } from './vite.lingui.ts';

/** Rooms whose tests are whole runs. */
const LONGEST = ['simulate', 'validator'];

/** Whole runs take minutes and wait for processes of their own: begun last, they would keep one core busy at the end. */
class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const turn = ({ moduleId }: TestSpecification): number =>
      [...LONGEST.map((room) => moduleId.includes(`/${room}/`)), true].indexOf(true);
    return Promise.resolve([...files].sort((a, b) => turn(a) - turn(b)));
  }
}

export default defineConfig({
  plugins: [translations()],
  test: {
    include: ['{core,chain,engine,src,client,workers,validator,simulate,bench}/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['src/i18n/testing/english.ts'],
    pool: 'threads',
    sequence: { sequencer: LongestFirst },
    // More than there are cores: what starts processes mostly waits for them.
    maxWorkers: 2 * availableParallelism(),
    // To end what hangs, not to measure: a machine may be slow and busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
