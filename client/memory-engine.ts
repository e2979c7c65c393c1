/** Where a replica's parameters lie when there is no device to train on: in memory, stepped as a device steps them. */
import { applyOuterStep } from '../core/lockstep/outer-step.ts';
import type { ReplicaEngine } from './replica.ts';

export function memoryEngine(): ReplicaEngine {
  let held = new Float32Array(0);
  return {
    setParameters(parameters) {
      held = parameters.slice();
      return Promise.resolve();
    },
    applyStep(step) {
      applyOuterStep(held, step);
      return Promise.resolve();
    },
    readParameters: () => Promise.resolve(held.slice()),
  };
}
