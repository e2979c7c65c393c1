// A judge's thread that stands still at each call for as long as its gate is shut: a judge that never ends.
import { parentPort, workerData } from 'node:worker_threads';

const SHUT = 1;
/** Where the number of calls that stood still is counted. */
const STOOD = 1;
// The thread's own listener comes first, or messages would be lost on this one; it does its work after both were called.
await import('../judge-thread.mjs');
parentPort.on('message', () => {
  if (Atomics.load(workerData.gate, 0) === SHUT) Atomics.add(workerData.gate, STOOD, 1);
  Atomics.wait(workerData.gate, 0, SHUT);
});
