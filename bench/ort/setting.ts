/** What the measurements of onnxruntime-web share: its WebGPU provider on Dawn in Node. */
import { fileURLToPath } from 'node:url';
import type { Surroundings } from '../contender.ts';
import { findAdapter } from '../../engine/capability.ts';
import { sharedContext } from '../../engine/web-device.ts';
import type { GpuContext } from '../../engine/gpu/context.ts';
import { installWebGpu, onnxruntimeIn } from '../install-webgpu.ts';

export interface Setting {
  readonly context: GpuContext;
  readonly surroundings: Surroundings;
}

/**
 * Prints adapter, driver and date above what is measured.
 *
 * @param options of Dawn
 * @throws Error when there is no adapter
 */
export async function createSetting(options: readonly string[] = []): Promise<Setting> {
  await installWebGpu(options);
  const found = await findAdapter();
  if (typeof found === 'string') throw new Error(found);
  const { description } = found.adapter.info;
  console.log(
    `${found.name}${found.software ? ' (software)' : ''}, driver ${description}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}\n`,
  );
  const folder = fileURLToPath(new URL('../../node_modules/onnxruntime-web/dist', import.meta.url));
  return {
    context: await sharedContext(),
    surroundings: { onnxruntime: onnxruntimeIn(folder), driver: () => description },
  };
}

/** An outcome in one line: what the runtime says first is what matters. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300);
}
