/**
 * What somebody should know before anything is downloaded: whether this device can take part, what it takes of it, and what
 * to do about what is missing. Pure: what was found out comes in.
 */
import { plural, t } from '@lingui/core/macro';
import type { BackendReport } from '../../engine/engine.ts';
import { failureInWords } from '../ui/failure-words.ts';
import { formatBytes, formatCompact, formatDuration } from '../ui/format.ts';
import type { MeasuredSpeed } from './measured-speed.ts';

export type PreflightVerdict = 'good' | 'warn' | 'bad' | 'unknown';

export interface PreflightItem {
  readonly id: 'device' | 'memory' | 'download' | 'storage' | 'tokens' | 'power' | 'network';
  readonly name: string;
  readonly verdict: PreflightVerdict;
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}

export interface PreflightFacts {
  readonly backend: BackendReport | undefined;
  /** Why there is none. */
  readonly backendError: Error | null;
  /** Bytes that parameters, gradients and optimiser state take at least; undefined before the run is known. */
  readonly memoryBytes: number | undefined;
  /** Bytes that training may take. */
  readonly budgetBytes: number;
  readonly memoryChosen: boolean;
  readonly download: { readonly bytes: number; readonly heldBytes: number } | undefined;
  /** Bytes of pages in a window, at most. */
  readonly pageBytes: number | undefined;
  readonly freeBytes: number | undefined;
  readonly persisted: boolean;
  readonly speed: MeasuredSpeed | undefined;
  readonly trainSeconds: number | undefined;
  readonly duty: number;
  readonly onBattery: boolean | undefined;
  readonly online: boolean;
  readonly now: number;
}

const BACKENDS = { webgpu: 'WebGPU', wasm: 'WebAssembly', node: 'Node' } as const;
/** A home connection, for a time before any was measured. */
const ASSUMED_BYTES_PER_SECOND = 2_000_000;
const DAY_MS = 86_400_000;

function device({ backend, backendError }: PreflightFacts): PreflightItem {
  const item = { id: 'device', name: t`Device` } as const;
  if (backendError) {
    const { detail, remedy } = failureInWords({
      reason: backendError.message,
      remedy: 'remedy' in backendError && typeof backendError.remedy === 'string' ? backendError.remedy : '',
      code: backendError.name,
    });
    return { ...item, verdict: 'bad', text: detail, fix: remedy };
  }
  if (!backend) return { ...item, verdict: 'unknown', text: t`Looking for a graphics card.` };
  const name = `${BACKENDS[backend.backend]}, ${backend.device}`;
  if (backend.backend === 'webgpu' && !backend.software) return { ...item, verdict: 'good', text: name };
  return {
    ...item,
    verdict: 'warn',
    text: backend.software
      ? t`${name}: a graphics card emulated in software`
      : t`${name}: the processor, which is slower`,
    fix: t`To use the graphics card, open this page in a current Chrome, Edge or Safari with hardware acceleration switched on in its settings.`,
  };
}

function memory({ memoryBytes, budgetBytes, memoryChosen }: PreflightFacts): PreflightItem {
  const item = { id: 'memory', name: t`Memory` } as const;
  if (memoryBytes === undefined) return { ...item, verdict: 'unknown', text: t`Known once the validator answers.` };
  const [needs, may] = [formatBytes(memoryBytes), formatBytes(budgetBytes)];
  if (memoryBytes <= budgetBytes) {
    return { ...item, verdict: 'good', text: t`At least ${needs} of the ${may} that this tab may take` };
  }
  return {
    ...item,
    verdict: 'bad',
    text: t`The model takes at least ${needs}, and this tab may take ${may}.`,
    fix: memoryChosen
      ? t`Raise the memory limit below.`
      : t`Close other programs and set a memory limit below, or choose a run with a smaller model.`,
  };
}

function download({ download: sizes, pageBytes }: PreflightFacts): PreflightItem {
  const item = { id: 'download', name: t`Download` } as const;
  if (!sizes) return { ...item, verdict: 'unknown', text: t`Known once the validator answers.` };
  const missing = sizes.bytes - sizes.heldBytes;
  const pages = pageBytes === undefined ? '' : t`up to ${formatBytes(pageBytes)} of text a window`;
  if (missing === 0) return { ...item, verdict: 'good', text: t`The model is here already; then ${pages}` };
  const time = formatDuration(Math.max(1, missing / ASSUMED_BYTES_PER_SECOND));
  return {
    ...item,
    verdict: 'good',
    text:
      sizes.heldBytes > 0
        ? t`${formatBytes(missing)} of ${formatBytes(sizes.bytes)}, the rest is here: about ${time} at 2 MB/s; then ${pages}`
        : t`${formatBytes(missing)} once: about ${time} at 2 MB/s; then ${pages}`,
  };
}

function storage({ freeBytes, persisted, download: sizes }: PreflightFacts): PreflightItem {
  const item = { id: 'storage', name: t`Storage` } as const;
  if (freeBytes === undefined)
    return { ...item, verdict: 'unknown', text: t`This browser does not say how much room there is.` };
  const room = formatBytes(freeBytes);
  // The model, the optimiser state and the updates until the next checkpoint.
  if (sizes && freeBytes < 3 * sizes.bytes) {
    return {
      ...item,
      verdict: 'bad',
      text: t`Only ${room} free.`,
      fix: t`Free disk space, or clear what this site stores in Settings.`,
    };
  }
  return {
    ...item,
    verdict: 'good',
    text: persisted
      ? t`${room} free, and the browser keeps it`
      : t`${room} free; the browser may clear it when space runs short`,
  };
}

function tokens({ speed, trainSeconds, duty, now }: PreflightFacts): PreflightItem {
  const item = { id: 'tokens', name: t`Tokens a window` } as const;
  if (!speed || trainSeconds === undefined) {
    return { ...item, verdict: 'unknown', text: t`Not measured yet: known after the first window` };
  }
  const count = formatCompact(speed.tokensPerSecond * trainSeconds * (duty / 100));
  const days = Math.floor((now - speed.atMs) / DAY_MS);
  const when = days === 0 ? t`today` : plural(days, { one: '# day ago', other: '# days ago' });
  return {
    ...item,
    verdict: 'good',
    text: t`About ${count}, by ${formatCompact(speed.tokensPerSecond)} tokens/s measured here ${when}`,
  };
}

function power({ onBattery }: PreflightFacts): PreflightItem[] {
  if (onBattery !== true) return [];
  return [
    {
      id: 'power',
      name: t`Power`,
      verdict: 'warn',
      text: t`This device runs on its battery.`,
      fix: t`Plug it in, or let it train only while it is plugged in, below.`,
    },
  ];
}

function network({ online }: PreflightFacts): PreflightItem[] {
  if (online) return [];
  return [
    {
      id: 'network',
      name: t`Network`,
      verdict: 'bad',
      text: t`This browser is offline.`,
      fix: t`Check the connection. A validator on this machine can be reached all the same.`,
    },
  ];
}

export function preflight(facts: PreflightFacts): PreflightItem[] {
  return [
    device(facts),
    memory(facts),
    download(facts),
    storage(facts),
    tokens(facts),
    ...power(facts),
    ...network(facts),
  ];
}
