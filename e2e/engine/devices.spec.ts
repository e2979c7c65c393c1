import { expect, test } from '@playwright/test';
import { someBatch, someParameters, TINY, TINY_SEQUENCES } from './cases.ts';
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
