/** Finds out what the pre-flight is about. Nothing is downloaded but the list of what would be. */
import { useQuery } from '@tanstack/react-query';
import { useStore } from 'zustand';
import { pageBytes, pageFormat } from '../../core/data/pages.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { heldBlobs } from '../../workers/shared/blob-cache.ts';
import { useStorageRoom } from '../checkpoint/use-storage.ts';
import { useApp, useContribute } from '../client/app-context.ts';
import { useRun } from '../client/queries.ts';
import { online } from '../platform/online.ts';
import { onBattery } from '../platform/power.ts';
import { preferences } from '../platform/preferences.ts';
import { useSignal } from '../platform/subscribable.ts';
import { useExpectedBackend } from '../platform/use-backend.ts';
import { withKeys } from '../wallet/use-identity.ts';
import { measuredSpeed } from './measured-speed.ts';
import { preflight, type PreflightItem } from './preflight.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** As the engine's planner has it (engine/gpu/memory.ts), which is too heavy to load for an estimate. */
const SHARE_OF_DEVICE_MEMORY = 0.5;
const ASSUMED_DEVICE_GIB = 8;
/** Vectors of the parameters' size: themselves, their gradient, and what the scheme keeps. */
const VECTORS: Readonly<Record<RunManifest['scheme']['name'], number>> = { 'decoupled-momentum': 3, sparseloco: 6 };

function useDownload() {
  const { api } = useApp();
  return useQuery({
    queryKey: ['preflight-download'],
    queryFn: async ({ signal }) => {
      const { chunks, steps } = await api.checkpoint(signal);
      const blobs = [...chunks, ...steps];
      const held = await withKeys((database) =>
        heldBlobs(
          database,
          blobs.map(({ sha256 }) => sha256),
        ),
      );
      const sum = (refs: typeof blobs): number => refs.reduce((total, { bytes }) => total + bytes, 0);
      return { bytes: sum(blobs), heldBytes: sum(blobs.filter(({ sha256 }) => held.has(sha256))) };
    },
    staleTime: 30_000,
    retry: false,
  });
}

export function usePreflight(): readonly PreflightItem[] {
  const run = useRun().data;
  const manifest = run?.manifest;
  const backend = useExpectedBackend();
  const { data: room } = useStorageRoom();
  const { memoryMib } = useStore(preferences);
  const duty = useContribute((state) => state.throttlePercent);
  const gib = (navigator as { deviceMemory?: number }).deviceMemory ?? ASSUMED_DEVICE_GIB;
  const device = backend.data && `${backend.data.backend} ${backend.data.device}`;
  return preflight({
    backend: backend.data,
    backendError: backend.error,
    memoryBytes: manifest && 4 * parameterLayout(manifest.model).total * VECTORS[manifest.scheme.name],
    budgetBytes: memoryMib === null ? SHARE_OF_DEVICE_MEMORY * gib * GIB : memoryMib * MIB,
    memoryChosen: memoryMib !== null,
    download: useDownload().data,
    pageBytes: manifest && manifest.training.pagesPerWindow * pageBytes(pageFormat(manifest)),
    freeBytes: room?.quotaBytes === undefined ? undefined : Math.max(0, room.quotaBytes - (room.usedBytes ?? 0)),
    persisted: room?.persisted ?? false,
    speed: run && measuredSpeed(run.run, device),
    trainSeconds: manifest?.window.trainSeconds,
    duty,
    onBattery: useSignal(onBattery),
    online: useSignal(online),
    now: Date.now(),
  });
}
