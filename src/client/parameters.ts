/**
 * What the address bar may set: `?demo` (simulated peers in this tab instead of a validator), `?replay` or `?replay=URL`
 * (a recorded run), `?validator=URL`, `?backend=webgpu|wasm`, `?throttle=10…100` (percent of the time at work),
 * `?memory=MiB` (of the GPU's, at most), `?recycle=N` (windows after which the training worker is replaced by a fresh
 * one).
 */
import { t } from '@lingui/core/macro';
import { THROTTLE_PERCENT } from '../../client/throttle.ts';
import type { StartOptions } from '../../workers/trainer-api.ts';
import type { SourceRequest } from './source.ts';

const RECYCLE_WINDOWS = 200;
const WHOLE_NUMBER = /^[1-9]\d{0,6}$/;

export interface PageParameters {
  readonly source: SourceRequest;
  readonly start: StartOptions;
  /** Windows a worker contributes to before it is replaced. */
  readonly recycleWindows: number;
  /** What was asked for and is not possible, one sentence each. */
  readonly complaints: readonly string[];
}

/** The recording that comes with the page. */
const SHOWCASE = 'replay/showcase.json.gz';

function sourceOf(page: URL, validatorUrl: string): SourceRequest {
  const replay = page.searchParams.get('replay');
  if (replay !== null) return { kind: 'replay', url: new URL(replay || SHOWCASE, page.href.split(/[?#]/)[0]).href };
  return page.searchParams.has('demo') ? { kind: 'demo' } : { kind: 'validator', validatorUrl };
}

export function parseParameters(href: string): PageParameters {
  const page = new URL(href);
  const complaints: string[] = [];
  const backend = page.searchParams.get('backend');
  const throttle = page.searchParams.get('throttle');
  const memory = page.searchParams.get('memory');
  const recycle = page.searchParams.get('recycle');
  const validator = page.searchParams.get('validator');

  let validatorUrl = `${page.origin}/`;
  if (validator !== null) {
    const url = URL.canParse(validator, page.origin) ? new URL(validator, page.origin) : undefined;
    if (url?.protocol === 'https:' || url?.protocol === 'http:') validatorUrl = url.href;
    else complaints.push(t`“${validator}” is not the address of a validator, so this page’s own is used.`);
  }
  if (backend !== null && backend !== 'webgpu' && backend !== 'wasm') {
    complaints.push(t`“${backend}” is no backend: it can be webgpu or wasm. The best one is chosen instead.`);
  }
  const percent = throttle === null ? undefined : Number(throttle);
  const percentFits = percent !== undefined && percent >= THROTTLE_PERCENT.min && percent <= THROTTLE_PERCENT.max;
  if (throttle !== null && !percentFits) {
    complaints.push(t`A throttle of “${throttle}” is not between 10 and 100 percent, so there is none.`);
  }
  const memoryFits = memory !== null && WHOLE_NUMBER.test(memory);
  if (memory !== null && !memoryFits) {
    complaints.push(t`“${memory}” is no number of MiB, so what the browser says of the GPU’s memory decides.`);
  }
  const recycleFits = recycle !== null && WHOLE_NUMBER.test(recycle);
  if (recycle !== null && !recycleFits) {
    complaints.push(t`“${recycle}” is no number of windows, so the worker is replaced every ${RECYCLE_WINDOWS}.`);
  }
  return {
    source: sourceOf(page, validatorUrl),
    start: {
      validatorUrl,
      ...(backend === 'webgpu' || backend === 'wasm' ? { forceBackend: backend } : {}),
      ...(memoryFits ? { memoryMib: Number(memory) } : {}),
      ...(percentFits ? { throttlePercent: percent } : {}),
    },
    recycleWindows: recycleFits ? Number(recycle) : RECYCLE_WINDOWS,
    complaints,
  };
}
