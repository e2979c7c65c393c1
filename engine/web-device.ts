/** The tab's GPU: one device for all engines of a worker, which then share compiled kernels; another once it is lost. */
import { findAdapter, NoBackendError } from './capability.ts';
import { createGpuContext, type GpuContext } from './gpu/context.ts';

let shared: Promise<GpuContext> | undefined;

async function requestContext(): Promise<GpuContext> {
  const found = await findAdapter();
  if (typeof found === 'string') throw new NoBackendError(found);
  const { adapter } = found;
  const {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX,
  } = adapter.limits;
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxBufferSize,
      maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX,
    },
  });
  return createGpuContext(device);
}

/** @throws NoBackendError when there is no adapter */
export async function sharedContext(): Promise<GpuContext> {
  if ((await shared)?.lost) shared = undefined;
  shared ??= requestContext();
  return shared.catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
}

/** GPU buffers of ours that are alive in this worker: zero when no engine is. */
export async function liveGpuBuffers(): Promise<number> {
  return (await shared)?.buffers.live ?? 0;
}
