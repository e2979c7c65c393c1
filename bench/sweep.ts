/** `npm run sweep`: the run's loss over windows for each learning rate and momentum, by which the presets' are chosen. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isPresetName, REFERENCE_DECOUPLED_MOMENTUM } from '../core/model/presets.ts';
import { runExperiment } from '../simulate/experiment.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'nano' },
    windows: { type: 'string', default: '30' },
    peers: { type: 'string', default: '3' },
    pages: { type: 'string', default: '12' },
    rates: { type: 'string', default: '0.002,0.004,0.008' },
    momenta: { type: 'string', default: '0.999' },
    /** Windows after which the learning rate has fallen to a tenth. */
    cosines: { type: 'string', default: '60' },
    seed: { type: 'string', default: 'sweep' },
    json: { type: 'string' },
  },
});
if (!isPresetName(values.preset)) throw new Error(`there is no preset ${values.preset}`);
const preset = values.preset;
const numbers = (list: string): number[] => list.split(',').map(Number);

const results: { learningRate: number; momentum: number; cosineWindows: number; losses: (number | null)[] }[] = [];
const combinations = numbers(values.momenta).flatMap((momentum) =>
  numbers(values.cosines).flatMap((cosineWindows) =>
    numbers(values.rates).map((learningRate) => ({ learningRate, momentum, cosineWindows })),
  ),
);
for (const rates of combinations) {
  const { windows } = await runExperiment({
    preset,
    windows: Number(values.windows),
    honest: Number(values.peers),
    attackers: 0,
    pages: Number(values.pages),
    seed: values.seed,
    scheme: { ...REFERENCE_DECOUPLED_MOMENTUM, warmupWindows: 0, ...rates },
  });
  const losses = [windows[0]!.lossBefore, ...windows.map((record) => record.lossAfter)];
  results.push({ ...rates, losses });
  const shown = losses.filter((_, i) => i % 5 === 0).map((loss) => loss?.toFixed(3) ?? '–');
  const { learningRate, momentum, cosineWindows } = rates;
  console.log(`η ${learningRate}  β ${momentum}  cosine ${cosineWindows}  every 5th window: ${shown.join('  ')}`);
}
if (values.json) await writeFile(values.json, `${JSON.stringify({ options: values, results }, null, 2)}\n`);
