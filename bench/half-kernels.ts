/**
 * Compiles every fp16 kernel of the presets, with every tile, on Dawn's null backend, which has `shader-f16` and computes
 * nothing: `npm ci --prefix bench && npx tsx bench/half-kernels.ts`. Of half precision this is what can be checked without
 * a GPU that has it, beside the rounding in `engine/gpu/precision.test.ts`.
 */
import { PRESET_NAMES, PRESETS } from '../core/model/presets.ts';
import { planTraining } from '../engine/gpu/engine.ts';
import { gemmKey, TILES } from '../engine/gpu/kernels/gemm.ts';
import { sharedContext } from '../engine/web-device.ts';
import { installWebGpu } from './install-webgpu.ts';

await installWebGpu(['backend=null']);
const { compile, device } = await sharedContext();
if (!device.features.has('shader-f16')) throw new Error('this build of Dawn has no half precision');
const workgroupBytes = device.limits.maxComputeWorkgroupStorageSize;
const compiled = new Set<string>();
for (const preset of PRESET_NAMES) {
  const options = { config: PRESETS[preset].model, sequences: 1, precision: 'fp16' } as const;
  const products = planTraining(options, workgroupBytes)
    .kernels.flatMap(({ bindings }) => bindings)
    .filter(({ value, write }) => write && value.operator.kind === 'Gemm');
  for (const tile of TILES) {
    const gemmTiles = new Map(products.map(({ value }) => [gemmKey(value), tile]));
    for (const { label, code } of planTraining({ ...options, gemmTiles }, workgroupBytes).kernels) {
      await compile(label, code);
      compiled.add(code);
    }
  }
}
console.log(`${compiled.size} kernels in half precision compile`);
process.exit(0);
