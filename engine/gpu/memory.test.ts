import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PRESET_NAMES, PRESETS, type Preset } from '../../core/model/presets.ts';
import {
  describeFit,
  DoesNotFitError,
  fitTraining,
  memoryBudget,
  requireHostMemory,
  trainingMemory,
  type MemoryBudget,
} from './memory.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const LIMITS = { maxBufferSize: 4 * GIB, maxStorageBufferBindingSize: 2 * GIB };

function budgetOf(bytes: number, buffer = 2 * GIB): MemoryBudget {
  return { bytes, buffer, reason: `${bytes} bytes were given.` };
}

function fit(
  preset: keyof typeof PRESETS,
  budget: MemoryBudget,
  { software = false, scheme = 'decoupled-momentum' }: { software?: boolean; scheme?: keyof Preset['schemes'] } = {},
) {
  const { model: config, data } = PRESETS[preset];
  return fitTraining({ config, scheme, pageSequences: data.pageSequences, precision: 'fp32', budget, software });
}

describe('the budget', () => {
  test('is half of what the browser reports, and never mistakes a buffer’s limit for memory', () => {
    expect(memoryBudget({ limits: LIMITS, deviceMemoryGib: 4 })).toMatchObject({ bytes: 2 * GIB, buffer: 2 * GIB });
    expect(memoryBudget({ limits: LIMITS }).bytes).toBe(4 * GIB);
    expect(memoryBudget({ limits: LIMITS }).reason).toContain('does not say');
  });

  test('is the user’s number where there is one', () => {
    const budget = memoryBudget({ limits: LIMITS, deviceMemoryGib: 8, chosenMib: 300 });
    expect(budget).toMatchObject({ bytes: 300 * MIB, reason: 'You allow 300 MiB.' });
  });
});

test('what training takes: four bytes a parameter for each of parameters, gradients and momentum, and the activations', () => {
  const { model: config } = PRESETS.nano;
  const scheme = 'decoupled-momentum';
  const memory = trainingMemory({ config, scheme }, { sequences: 4, recompute: false, precision: 'fp32' });
  for (const part of ['parameters', 'gradients', 'optimiser'] as const) expect(memory[part]).toBe(4 * 1_049_728);
  expect(memory.total).toBe(3 * memory.parameters + memory.activations);
  const half = trainingMemory({ config, scheme }, { sequences: 4, recompute: false, precision: 'fp16' });
  // Norm weights stay as they are.
  expect(half.halfCopies).toBe(2 * (1_049_728 - 9 * 128));
  expect(half.activations).toBeLessThan(memory.activations);
});

test('local steps take three vectors more: a second moment, the error feedback, and where the window began', () => {
  const { model: config } = PRESETS.nano;
  const shape = { sequences: 4, recompute: false, precision: 'fp32' } as const;
  const [summed, local] = (['decoupled-momentum', 'sparseloco'] as const).map((scheme) =>
    trainingMemory({ config, scheme }, shape),
  );
  expect(local!.optimiser).toBe(4 * 4 * 1_049_728);
  expect(local!.total - summed!.total).toBe(3 * 4 * 1_049_728);
  expect(local!.largest).toBe(summed!.largest);
});

describe('the planner', () => {
  test('takes the largest micro-batch that fits, and computes blocks twice before it gives up', () => {
    expect(fit('nano', budgetOf(GIB)).chosen).toEqual({ sequences: 8, recompute: false, precision: 'fp32' });
    expect(fit('nano', budgetOf(32 * MIB)).chosen).toEqual({ sequences: 2, recompute: false, precision: 'fp32' });
    expect(fit('base', budgetOf(3 * GIB)).chosen).toEqual({ sequences: 1, recompute: false, precision: 'fp32' });
    expect(fit('base', budgetOf(2.5 * GIB)).chosen).toMatchObject({ recompute: true });
    // Three vectors of 4 MiB more leave no room for the activations of all blocks.
    const local = fit('nano', budgetOf(32 * MIB), { scheme: 'sparseloco' });
    expect(local.chosen).toEqual({ sequences: 2, recompute: true, precision: 'fp32' });
    expect(() => fit('base', budgetOf(2.5 * GIB), { scheme: 'sparseloco' })).toThrow(DoesNotFitError);
  });

  test('keeps micro-batches short: 4,096 tokens, and few on a software adapter', () => {
    expect(fit('paper-1b', budgetOf(80 * GIB)).chosen).toEqual({ sequences: 2, recompute: false, precision: 'fp32' });
    expect(fit('nano', budgetOf(GIB), { software: true }).chosen.sequences).toBe(2);
  });

  test('whatever the budget, what it chooses fits, and nothing preferred to it does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('micro', 'nano', 'mini'),
        fc.integer({ min: 2, max: 2048 }),
        fc.integer({ min: 1, max: 64 }),
        (preset, mib, bufferMib) => {
          const budget = budgetOf(mib * MIB, bufferMib * MIB);
          try {
            const { chosen, memory, table } = fit(preset, budget);
            expect(memory.total).toBeLessThanOrEqual(budget.bytes);
            expect(memory.largest).toBeLessThanOrEqual(budget.buffer);
            const at = table.findIndex(({ shape }) => shape === chosen);
            expect(table.slice(0, at).every(({ refusal }) => refusal !== undefined)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(DoesNotFitError);
            const { table } = error as DoesNotFitError;
            expect(table.every(({ refusal }) => refusal !== undefined)).toBe(true);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('refuses with the reason and a model that would fit', () => {
    const refusal = (): unknown => fit('base', budgetOf(600 * MIB));
    expect(refusal).toThrow(DoesNotFitError);
    expect(refusal).toThrow(/does not fit this device: 1\.9 GiB are needed, 540 MiB may be used, even one sequence/);
    try {
      refusal();
    } catch (error) {
      expect((error as DoesNotFitError).remedy).toContain('“small”');
    }
  });

  test('refuses a buffer that the adapter does not have, whatever memory there is', () => {
    expect(() => fit('paper-1b', budgetOf(80 * GIB, 128 * MIB))).toThrow(/a buffer of 250 MiB is needed/);
  });

  test('prints what it weighed', () => {
    const { table } = fit('nano', budgetOf(24 * MIB));
    const lines = describeFit(table).split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(
      /^8 sequences +whole +fp32 +54 MiB \(activations \d+ MiB\) 54 MiB are needed, 22 MiB may be used$/,
    );
    expect(lines.some((line) => line.endsWith('fits'))).toBe(true);
  });
});

test('a processor takes models up to what WebAssembly can address', () => {
  for (const preset of PRESET_NAMES) {
    const check = (): void => {
      requireHostMemory(PRESETS[preset].model);
    };
    if (['base', 'paper-1b'].includes(preset)) expect(check, preset).toThrow(DoesNotFitError);
    else expect(check, preset).not.toThrow();
  }
});
