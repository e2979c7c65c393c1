import { expect, test } from 'vitest';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { reencode } from './reencode.ts';

const LAYOUT = parameterLayout(PRESETS.micro.model);

for (const parameters of Object.values(PRESETS.micro.schemes)) {
  const scheme = createScheme(parameters, LAYOUT);
  const random = createRandom(seedFrom('message', parameters.name));
  const work = Float32Array.from({ length: LAYOUT.total }, () => random.uniform() - 0.5);
  const body = scheme.createContributor().compress(work, 1);
  const { tensors } = scheme.decodeBody(body);

  test(`${parameters.name}: with nothing changed a message says nearly the same`, () => {
    const again = scheme.decodeBody(reencode(scheme, body, (kept) => kept)).tensors;
    let kept = 0;
    let same = 0;
    let agreeing = 0;
    tensors.forEach(({ indices, values }, t) => {
      kept += indices.length;
      indices.forEach((index, i) => {
        if (again[t]!.indices[i] !== index) return;
        same++;
        if (Math.sign(again[t]!.values[i]!) === Math.sign(values[i]!)) agreeing++;
      });
    });
    expect(same / kept).toBeGreaterThan(0.95);
    expect(agreeing / same).toBeGreaterThan(0.95);
  });

  test(`${parameters.name}: what is moved lies at the next index`, () => {
    const moved = scheme.decodeBody(
      reencode(scheme, body, ({ index, value }, length) => ({ index: (index + 1) % length, value })),
    ).tensors;
    // The embedding, of which little is sent: its first chunk.
    const kept = new Set(tensors[0]!.indices.subarray(0, parameters.topK));
    const now = [...moved[0]!.indices.subarray(0, parameters.topK)];
    const nextToKept = now.filter((index) => kept.has((index + 4_095) % 4_096));
    expect(nextToKept.length / now.length).toBeGreaterThan(0.9);
  });
}
