import { describe, expect, test } from 'vitest';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../core/model/presets.ts';
import { fusedForwardGraph, gradientInput, gradientOutput, LOSS, trainingGraph } from '../graph/llama.ts';
import type { Value } from '../graph/ir.ts';
import { parameterGroups } from '../graph/parameter-groups.ts';
import { tinyConfig } from '../testing/tiny-model.ts';
import { planTraining } from './engine.ts';
import { planGraph, type Place, type Plan } from './plan.ts';

const WORKGROUP_BYTES = 16_384;

function placeKey(place: Place): unknown {
  return place.kind === 'slot' ? place.slot : place.value;
}

/** The value whose bytes a binding means: parts and views of one result are one. */
function identity(value: Value): string {
  const { operator, inputs } = value;
  if (operator.kind === 'Reshape') return identity(inputs[0]!);
  if (operator.kind === 'Part' && operator.index >= 0) return `${identity(inputs[0]!)}.${operator.index}`;
  return `${value.operator.kind === 'Part' ? 'scratch of ' + identity(inputs[0]!) : value.id}`;
}

/** Goes through the kernels as a device would and looks at whose bytes each read finds. */
function expectReadsFindWhatWasWritten(plan: Plan): void {
  const holds = new Map<unknown, string>();
  const given = [...plan.inputs, ...plan.constants];
  for (const value of given) holds.set(value, identity(value));
  for (const { label, bindings } of plan.kernels) {
    const places = bindings.map(({ value }) => placeKey(plan.places.get(value)!));
    expect(new Set(places).size, `${label} binds no memory twice`).toBe(places.length);
    expect(bindings.length, `${label} stays within the guaranteed number of buffers`).toBeLessThanOrEqual(8);
    bindings.forEach(({ value, write, name }, i) => {
      if (!write) expect(holds.get(places[i]), `${label} reads ${name}`).toBe(identity(value));
    });
    bindings.forEach(({ value, write }, i) => {
      if (write) holds.set(places[i], identity(value));
    });
  }
  for (const [name, value] of Object.entries(plan.outputs)) {
    expect(holds.get(placeKey(plan.places.get(value)!)), name).toBe(identity(value));
  }
}

function trainingPlan(
  preset: PresetName,
  options: { sequences?: number; recompute?: boolean; precision?: 'fp16' } = {},
) {
  return planTraining({ config: PRESETS[preset].model, sequences: 1, ...options }, WORKGROUP_BYTES);
}

describe.each([true, false])('a plan, tied output: %s', (tied) => {
  const config = tinyConfig(tied);
  test.each([
    { recompute: false },
    { recompute: true },
    { recompute: false, precision: 'fp16' as const },
    { recompute: true, precision: 'fp16' as const },
  ])('lets every kernel read what was meant for it: %o', (options) => {
    const plan = planTraining({ config, sequences: 2, ...options }, WORKGROUP_BYTES);
    expectReadsFindWhatWasWritten(plan);
    for (const { name } of parameterGroups(config)) {
      const place = plan.places.get(plan.outputs[gradientOutput(name)]!)!;
      expect(place.kind === 'given' && place.value.name, 'the gradient is summed up where the accumulator lies').toBe(
        gradientInput(name),
      );
    }
  });

  test('of the loss alone keeps nothing for a way back', () => {
    const graph = fusedForwardGraph({ config, sequences: 2, length: config.contextLength });
    const options = {
      donated: new Set<string>(),
      workgroupBytes: WORKGROUP_BYTES,
      half: false,
      halfInputs: new Set<string>(),
    };
    const plan = planGraph(graph, options);
    expectReadsFindWhatWasWritten(plan);
    expect(Object.keys(plan.outputs)).toEqual([LOSS]);
    expect(plan.slotBytes).toBeLessThan(planTraining({ config, sequences: 2 }, WORKGROUP_BYTES).slotBytes);
  });
});

// A guard by counts, which do not depend on the machine: whoever adds a dispatch changes a number here.
test.each([
  { preset: 'micro', whole: 60, recomputed: 76 },
  { preset: 'nano', whole: 110, recomputed: 142 },
  { preset: 'mini', whole: 160, recomputed: 208 },
  { preset: 'small', whole: 210, recomputed: 274 },
  { preset: 'base', whole: 310, recomputed: 406 },
  { preset: 'paper-1b', whole: 410, recomputed: 538 },
] as const)('dispatches of a step of $preset', ({ preset, whole, recomputed }) => {
  expect(trainingPlan(preset).kernels).toHaveLength(whole);
  expect(trainingPlan(preset, { recompute: true }).kernels).toHaveLength(recomputed);
});

test('every preset’s plan is sound, and computing blocks twice saves memory', () => {
  for (const preset of PRESET_NAMES) {
    const plan = trainingPlan(preset);
    const recomputed = trainingPlan(preset, { recompute: true });
    expectReadsFindWhatWasWritten(plan);
    expectReadsFindWhatWasWritten(recomputed);
    if (PRESETS[preset].model.numLayers > 2) expect(recomputed.slotBytes).toBeLessThan(0.7 * plan.slotBytes);
    expect(trainingPlan(preset, { precision: 'fp16' }).slotBytes).toBeLessThan(0.75 * plan.slotBytes);
  }
});

test('nano takes at most a third of the dispatches that it had as plain ONNX', () => {
  const { model: config } = PRESETS.nano;
  const nodes = new Set<Value>();
  const stack = Object.values(trainingGraph({ config, sequences: 4, length: config.contextLength }));
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (nodes.has(value)) continue;
    nodes.add(value);
    stack.push(...value.inputs);
  }
  // What moves no data is no dispatch there either.
  const free = new Set(['input', 'constant', 'Reshape']);
  const dispatches = [...nodes].filter(({ operator }) => !free.has(operator.kind)).length;
  expect(trainingPlan('nano').kernels.length).toBeLessThanOrEqual(dispatches / 3);
});
