/** `npm run sweep`: the run's loss over windows for each choice of a scheme's constants, by which the presets' are chosen. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isPresetName, PRESETS } from '../core/model/presets.ts';
import { SchemeParametersSchema, type SchemeParameters } from '../core/protocol/manifest.ts';
import { runExperiment } from '../simulate/experiment.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'nano' },
    scheme: { type: 'string', default: 'decoupled-momentum' },
    windows: { type: 'string', default: '30' },
    peers: { type: 'string', default: '3' },
    pages: { type: 'string', default: '12' },
    /** η of the sign step, or of the local steps. Of this and what follows the preset's where nothing is given. */
    rates: { type: 'string' },
    /** Windows after which the learning rate has fallen to a tenth. */
    cosines: { type: 'string' },
    /** Decoupled momentum: β. */
    momenta: { type: 'string' },
    /** SparseLoCo: α. */
    outers: { type: 'string' },
    /** SparseLoCo: pages of a local step. */
    steps: { type: 'string' },
    /** SparseLoCo: levels of the quantiser. */
    levels: { type: 'string' },
    /** SparseLoCo: what a coordinate's sum is divided by. */
    means: { type: 'string' },
    seed: { type: 'string', default: 'sweep' },
    json: { type: 'string' },
  },
});
const { preset, scheme } = values;
if (!isPresetName(preset)) throw new Error(`there is no preset ${preset}`);
if (scheme !== 'decoupled-momentum' && scheme !== 'sparseloco') throw new Error(`there is no scheme ${scheme}`);

/** A constant to be varied: its name in the table, what it is tried at, and where it belongs. */
interface Axis {
  readonly name: string;
  readonly tried: readonly (string | number)[];
  readonly set: (parameters: SchemeParameters, value: string | number) => object;
}

const list = (text: string | undefined): string[] => text?.split(',') ?? [];
const numbers = (text: string | undefined): number[] => list(text).map(Number);
const own =
  (key: string): Axis['set'] =>
  (parameters, value) => ({ ...parameters, [key]: value });
/** Of the local optimiser, where there is one. */
const ofSteps =
  (key: string): Axis['set'] =>
  (parameters, value) =>
    parameters.name === 'sparseloco'
      ? { ...parameters, inner: { ...parameters.inner, [key]: value } }
      : { ...parameters, [key]: value };

const axes: readonly Axis[] = [
  { name: 'η', tried: numbers(values.rates), set: ofSteps('learningRate') },
  { name: 'cosine', tried: numbers(values.cosines), set: ofSteps('cosineWindows') },
  { name: 'β', tried: numbers(values.momenta), set: own('momentum') },
  { name: 'α', tried: numbers(values.outers), set: own('outerLearningRate') },
  { name: 'pages a step', tried: numbers(values.steps), set: ofSteps('pagesPerStep') },
  { name: 'levels', tried: numbers(values.levels), set: own('levels') },
  { name: 'mean', tried: list(values.means), set: own('mean') },
].filter(({ tried }) => tried.length > 0);

/** All combinations: what is varied in words, and the scheme. */
let choices: { label: string; scheme: SchemeParameters }[] = [{ label: '', scheme: PRESETS[preset].schemes[scheme] }];
for (const { name, tried, set } of axes) {
  choices = choices.flatMap(({ label, scheme: before }) =>
    tried.map((value) => ({
      label: `${label}${name} ${value}  `,
      scheme: SchemeParametersSchema.parse(set(before, value)),
    })),
  );
}

const results: { scheme: SchemeParameters; losses: (number | null)[] }[] = [];
for (const { label, scheme: parameters } of choices) {
  const { windows } = await runExperiment({
    preset,
    windows: Number(values.windows),
    honest: Number(values.peers),
    attackers: 0,
    pages: Number(values.pages),
    seed: values.seed,
    scheme: parameters,
  });
  const losses = [windows[0]!.lossBefore, ...windows.map((record) => record.lossAfter)];
  results.push({ scheme: parameters, losses });
  const shown = losses.filter((_, i) => i % 5 === 0).map((loss) => loss?.toFixed(3) ?? '–');
  console.log(`${label}every 5th window: ${shown.join('  ')}`);
}
if (values.json) await writeFile(values.json, `${JSON.stringify({ options: values, results }, null, 2)}\n`);
