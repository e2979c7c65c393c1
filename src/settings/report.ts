/** A report of this tab that a person can attach to an issue. English, as whoever reads issues does. */
import type { LogEntry } from '../platform/log.ts';
import type { Build } from './build.ts';

export interface ReportFacts {
  readonly at: Date;
  readonly build: Build | undefined;
  /** Those that this app speaks. */
  readonly protocol: string;
  /** Without query and credentials. */
  readonly validator: string;
  readonly run: string | undefined;
  readonly runName: string | undefined;
  readonly window: number | undefined;
  readonly phase: string | undefined;
  readonly stream: string;
  readonly status: string;
  readonly device: string | undefined;
  readonly browser: string;
  readonly isolated: boolean;
  readonly gpu: boolean;
  readonly storage: { readonly usedBytes: number | undefined; readonly quotaBytes: number | undefined } | undefined;
  readonly log: readonly LogEntry[];
}

/** Plain text, one fact a line. Holds no key, public or secret. */
export function reportText(facts: ReportFacts): string {
  const { build, storage } = facts;
  const known = (value: string | number | undefined): string => String(value ?? 'unknown');
  return [
    'Gauntlet: report of a tab',
    `at: ${facts.at.toISOString()}`,
    `app: ${build ? `${build.version}, commit ${build.commit ?? 'unknown'}, of ${build.date ?? 'an unknown date'}` : 'unknown'}`,
    `protocol: ${facts.protocol}`,
    `validator: ${facts.validator}`,
    `run: ${known(facts.run)} (${known(facts.runName)})`,
    `window: ${known(facts.window)}, ${known(facts.phase)}`,
    `news: ${facts.stream}`,
    `contributor: ${facts.status}`,
    `device: ${known(facts.device)}`,
    `browser: ${facts.browser}`,
    `cross-origin isolated: ${facts.isolated ? 'yes' : 'no'}; WebGPU offered: ${facts.gpu ? 'yes' : 'no'}`,
    `storage: ${known(storage?.usedBytes)} of ${known(storage?.quotaBytes)} bytes`,
    '',
    `log (${facts.log.length}):`,
    ...facts.log.map(({ atMs, level, source, text }) => `${new Date(atMs).toISOString()} ${level} ${source}: ${text}`),
    '',
  ].join('\n');
}

/** Of an address, what says where; what may be secret in it is left out. */
export function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
