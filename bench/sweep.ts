/** `npm run sweep`: the run's loss over windows for each learning rate and momentum, by which the presets' are chosen. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isPresetName } from '../core/model/presets.ts';
import { runExperiment } from '../simulate/experiment.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'nano' },
    windows: { type: 'string', default: '30' },
    peers: { type: 'string', default: '3' },
    pages: { type: 'string', default: '12' },
    rates: { type: 'string', default: '0.002,0.004,0.008' },
    momenta: { type: 'string', default: '0.999' },
    seed: { type: 'string', default: 'sweep' },
    json: { type: 'string' },
  },
});
if (!isPresetName(values.preset)) throw new Error(`there is no preset ${values.preset}`);
const preset = values.preset;
const numbers = (list: string): number[] => list.split(',').map(Number);

const results: { learningRate: number; momentum: number; losses: (number | null)[] }[] = [];
for (const momentum of numbers(values.momenta)) {
  for (const learningRate of numbers(values.rates)) {
    const { windows } = await runExperiment({
      preset,
      windows: Number(values.windows),
      honest: Number(values.peers),
      attackers: 0,
      pages: Number(values.pages),
      seed: values.seed,
      scheme: { learningRate, momentum },
    });
    const losses = [windows[0]!.lossBefore, ...windows.map((record) => record.lossAfter)];
    results.push({ learningRate, momentum, losses });
    const shown = losses.filter((_, i) => i % 5 === 0).map((loss) => loss?.toFixed(3) ?? '–');
    console.log(`η ${learningRate}  β ${momentum}  every 5th window: ${shown.join('  ')}`);
  }
}
if (values.json) await writeFile(values.json, `${JSON.stringify({ options: values, results }, null, 2)}\n`);
