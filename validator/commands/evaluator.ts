/** `gauntlet evaluator`: measures losses for a run's judge, on this machine, until Ctrl-C. */
import type { NodeProvider } from '../../engine/node.ts';
import { startEvaluator } from '../adapters/evaluator.ts';
import { createLog, runLog } from '../adapters/log.ts';
import { placesOf } from '../adapters/places.ts';
import { openEvaluatedRun } from '../adapters/run-folder.ts';
import { logLevel, untilStopped } from './process.ts';

export interface EvaluatorCommandOptions {
  readonly lanes?: number;
  readonly provider: NodeProvider;
}

export async function evaluatorCommand({ lanes, provider }: EvaluatorCommandOptions): Promise<void> {
  const log = runLog(createLog(logLevel()));
  const folder = await openEvaluatedRun(placesOf(process.env), log);
  let measured = 0;
  try {
    const evaluator = await startEvaluator(folder, {
      provider,
      log,
      ...(lanes === undefined ? {} : { lanes }),
      onMeasured: () => measured++,
    });
    log.ofRun(evaluator.run);
    const stopped = untilStopped();
    console.log(`Evaluator ${evaluator.id} of run ${evaluator.run}: ${evaluator.lanes} at once, on ${provider}`);
    await stopped;
    console.log('Leaving …');
    await evaluator.stop();
    console.log(`${measured} measurements made`);
  } finally {
    await folder.close();
  }
}
