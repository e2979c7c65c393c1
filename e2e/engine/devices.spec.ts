import { expect, test } from '@playwright/test';
import { PRESETS } from '../../core/model/presets.ts';
import { createNodeTrainer } from '../../engine/node.ts';
import { someBatch, someParameters, TINY, TINY_SEQUENCES } from './cases.ts';
import { inLength, NIGHTLY } from '../nightly.ts';
import { openHarness } from './driver.ts';

test('a software adapter is named and passed over for WASM', async ({ page }) => {
  const { backend, device, software, reasons } = await (await openHarness(page)).chooseBackend();
  expect({ backend, software }).toEqual({ backend: 'wasm', software: false });
  expect(device).toMatch(/^WASM, \d+ threads?$/);
  expect(reasons).toEqual([
    expect.stringMatching(
      /^The adapter \(.*swiftshader.*\) only emulates a GPU in software, which is slower than WASM\.$/i,
    ),
  ]);
});

test('WebGPU on a software adapter is had by asking for it', async ({ page }) => {
  const { backend, device, software, reasons } = await (await openHarness(page)).chooseBackend('webgpu');
  expect({ backend, software }).toEqual({ backend: 'webgpu', software: true });
  expect(device).toMatch(/swiftshader/i);
  expect(reasons).toEqual([
    'WebGPU was asked for in the address.',
    expect.stringMatching(/^The adapter \(.*\) only emulates a GPU in software: expect it to be slow\.$/),
  ]);
});

test('without WebGPU there is WASM, and asking for WebGPU is refused', async ({ page }) => {
  const web = await openHarness(page);
  await web.removeGpu();
  const { backend, reasons } = await web.chooseBackend();
  expect(backend).toBe('wasm');
  expect(reasons).toEqual(['This browser has no WebGPU (or the page is not served over https).']);
  await expect(web.chooseBackend('webgpu')).rejects.toThrow('This browser has no WebGPU');
});

test('a lost device is reported as such, and the next engine gets another', async ({ page }) => {
  const web = await openHarness(page);
  const report = await web.chooseBackend('webgpu');
  const options = { config: TINY, sequences: TINY_SEQUENCES };
  const batch = someBatch(TINY, TINY_SEQUENCES, 'lost');
  await web.createEvaluator(report, options);
  await web.setParameters(someParameters(TINY));
  const before = await web.loss(batch);

  await web.destroyDevices();
  await expect(web.loss(batch)).rejects.toThrow('DeviceLostError: The GPU was lost');
  await expect(web.readParameters()).rejects.toThrow('DeviceLostError: The GPU was lost');
  await web.dispose();

  await web.createEvaluator(report, options);
  await web.setParameters(someParameters(TINY));
  expect(await web.loss(batch)).toEqual(before);
  await web.dispose();
});

test('where one of our kernels does not compile, onnxruntime’s are used and the report says so', async ({ page }) => {
  const web = await openHarness(page);
  const report = await web.chooseBackend('webgpu');
  const scheme = 'decoupled-momentum';
  const options = { config: TINY, scheme, pageSequences: TINY_SEQUENCES, hostSequences: 1, backend: report } as const;
  await web.refuseOneKernel();
  const { reasons } = await web.createFittingTrainer(options);
  expect(reasons.at(-1)).toBe(
    'One of our kernels does not compile here (the driver gave up), so onnxruntime’s run instead.',
  );
  await web.setParameters(someParameters(TINY));
  const { count } = await web.accumulate(someBatch(TINY, TINY_SEQUENCES, 'fallback'));
  expect(count).toBeGreaterThan(0);
  await web.dispose();
  expect((await web.liveGpuBuffers()).own).toBe(0);
});

test('a GPU without room is reported as such, and nothing is left on it', async ({ page }) => {
  const web = await openHarness(page);
  const backend = await web.chooseBackend('webgpu');
  await web.fillMemory();
  await expect(web.createTrainer(backend, { config: TINY, sequences: TINY_SEQUENCES })).rejects.toThrow(
    'GpuMemoryError: The GPU has not enough free memory (all of it is taken).',
  );
  expect((await web.liveGpuBuffers()).own).toBe(0);
});

test('what training takes is planned and told, and too little is refused with a way out', async ({ page }) => {
  const web = await openHarness(page);
  const backend = await web.chooseBackend('webgpu');
  const scheme = 'decoupled-momentum';
  const options = { config: TINY, scheme, pageSequences: TINY_SEQUENCES, hostSequences: 1, backend } as const;
  const { reasons, sequences } = await web.createFittingTrainer(options);
  expect(sequences).toBe(TINY_SEQUENCES);
  expect(reasons.slice(-2)).toEqual([
    'The adapter has no half-precision floats, so everything is fp32.',
    `Micro-batches of ${TINY_SEQUENCES} x ${TINY.contextLength} tokens take 0.1 MiB of GPU memory.`,
  ]);
  await web.dispose();

  const { model: config, data } = PRESETS.base;
  const large = {
    config,
    scheme,
    pageSequences: data.pageSequences,
    hostSequences: 1,
    backend,
    memoryMib: 512,
  } as const;
  await expect(web.createFittingTrainer(large)).rejects.toThrow(
    /DoesNotFitError: This model does not fit this device: 1\.9 GiB are needed, 461 MiB may be used/,
  );
  await expect(web.createFittingTrainer({ ...large, backend: await web.chooseBackend('wasm') })).rejects.toThrow(
    'DoesNotFitError: This model needs 2.4 GiB without a GPU',
  );
  expect((await web.liveGpuBuffers()).own).toBe(0);
});

test('a tile is measured for each product, and the choice changes no bit', async ({ page }) => {
  test.skip(!NIGHTLY, 'compiles every tile in software: NIGHTLY=1 runs it');
  const config = { ...TINY, numLayers: 1 };
  const web = await openHarness(page);
  const backend = await web.chooseBackend('webgpu');
  const tiles = await web.tune(config, 1);
  // The two largest matrices, there and back.
  expect(tiles).toHaveLength(6);
  for (const [, tile] of tiles) expect([128, 64, 32]).toContain(tile.edge);
  expect((await web.liveGpuBuffers()).own).toBe(0);

  const batch = someBatch(config, 1, 'tuned');
  const gradients: Float32Array[] = [];
  const others = tiles.map(([key]): (typeof tiles)[number] => [key, { edge: 64, block: 8, shared: true }]);
  for (const chosen of [[], others]) {
    await web.createTrainer(backend, { config, sequences: 1 }, chosen);
    await web.setParameters(someParameters(config));
    await web.accumulate(batch);
    gradients.push(await web.takeGradient());
    await web.dispose();
  }
  expect(gradients[1]).toEqual(gradients[0]);
});

const WINDOWS = inLength(100, 1_000);

test(`${WINDOWS} windows leave no buffer behind`, async ({ page }) => {
  const config = { ...TINY, vocabSize: 7, hiddenSize: 4, intermediateSize: 4, numLayers: 1, numHeads: 1 };
  const least = { ...config, numKvHeads: 1, headDim: 2, contextLength: 2 };
  const web = await openHarness(page);
  await web.createTrainer(await web.chooseBackend('webgpu'), { config: least, sequences: 1 });
  await web.setParameters(someParameters(least));
  const batch = someBatch(least, 1, 'thousand');
  const scheme = PRESETS.micro.schemes['decoupled-momentum'];
  await web.windows(batch, 10, scheme, least);
  const settled = await web.liveGpuBuffers();
  expect(settled.own).toBeGreaterThan(0);
  await web.windows(batch, WINDOWS - 10, scheme, least);
  expect(await web.liveGpuBuffers()).toEqual(settled);
  await web.dispose();
  expect(await web.liveGpuBuffers()).toEqual({ own: 0, all: 0 });

  // Local steps have buffers of their own, and a fifth of the windows shows whether these pile up.
  await web.createTrainer(await web.chooseBackend('webgpu'), { config: least, sequences: 1 });
  await web.setParameters(someParameters(least));
  await web.windows(batch, 10, PRESETS.micro.schemes.sparseloco, least);
  const local = await web.liveGpuBuffers();
  await web.windows(batch, WINDOWS / 5 - 10, PRESETS.micro.schemes.sparseloco, least);
  expect(await web.liveGpuBuffers()).toEqual(local);
  await web.dispose();
  expect(await web.liveGpuBuffers()).toEqual({ own: 0, all: 0 });
});

const LONG = inLength(512, 2_048);

test(`trains on sequences of ${LONG} tokens`, async ({ page }) => {
  const config = { ...TINY, vocabSize: 16, hiddenSize: 8, intermediateSize: 8, numLayers: 1, contextLength: LONG };
  const small = { ...config, numHeads: 2, numKvHeads: 1, headDim: 4 };
  const web = await openHarness(page);
  const batch = someBatch(small, 1, 'long');
  const parameters = someParameters(small);
  const node = await createNodeTrainer({ config: small, sequences: 1, intraOpThreads: 1 });
  await node.setParameters(parameters);
  await web.createTrainer(await web.chooseBackend('webgpu'), { config: small, sequences: 1 });
  await web.setParameters(parameters);
  const [actual, expected] = [await web.accumulate(batch), await node.accumulate(batch)];
  expect(Math.abs(actual.sum / expected.sum - 1)).toBeLessThan(1e-5);
  const [gradient, reference] = [await web.takeGradient(), await node.takeGradient()];
  const largest = Math.max(...reference.map(Math.abs));
  for (const [i, value] of gradient.entries()) expect(Math.abs(value - reference[i]!)).toBeLessThan(1e-4 * largest);
  await web.dispose();
  await node.dispose();
});
