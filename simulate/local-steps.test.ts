/** SparseLoCo end to end: contributors on the real engine and the production validator. */
import { expect, test } from 'vitest';
import { stateRoot } from '../core/lockstep/state-root.ts';
import { PRESETS } from '../core/model/presets.ts';
import { nodeDigest } from '../validator/adapters/run-folder.ts';
import { runExperiment } from './experiment.ts';

const { schemes, checkpoint } = PRESETS.micro;

test(
  'a run of local steps learns, and a window that fails half-way leaves no trace',
  { timeout: 120_000 },
  async () => {
    /** Of the parameters on the device, after each outer step. */
    const deviceRoots: string[] = [];
    let microBatches = 0;
    let offline = false;
    const { windows, peers } = await runExperiment({
      preset: 'micro',
      scheme: schemes.sparseloco,
      windows: 4,
      honest: 3,
      attackers: 0,
      pages: 12,
      seed: 'local steps',
      portsOf(ports, { name }) {
        if (name !== 'honest-1') return ports;
        return {
          ...ports,
          async createTrainer(options) {
            const trainer = await ports.createTrainer(options);
            return {
              ...trainer,
              accumulate(batch) {
                // In the second window, after a local step, the network is gone for the rest of it.
                if (++microBatches === 28) offline = true;
                return trainer.accumulate(batch);
              },
              async applyStep(step) {
                await trainer.applyStep(step);
                const { root } = await stateRoot(await trainer.readParameters(), checkpoint.chunkBytes, nodeDigest);
                deviceRoots.push(root);
              },
            };
          },
          fetch: (input, init) => (offline ? Promise.reject(new TypeError('offline')) : ports.fetch(input, init)),
        };
      },
      onWindow(record) {
        if (record.window === 2) offline = false;
      },
    });
    expect(windows.map(({ participants }) => participants)).toEqual([3, 2, 2, 3]);
    expect(windows.at(-1)!.lossAfter!).toBeLessThan(windows[0]!.lossBefore! - 0.1);
    // The device applies each step to the parameters that the window began with, to the bit.
    expect(deviceRoots.slice(0, 3)).toEqual(windows.slice(0, 3).map((record) => record.stateRoot));
    const failed = peers.flatMap(({ state }) => state.verdicts.filter(({ pass }) => !pass));
    const fastChecks = ['format', 'finite', 'model', 'sync'];
    expect(failed.filter(({ check }) => fastChecks.includes(check))).toEqual([]);
  },
);
