/** `gauntlet status`: how a run stands, drawn anew while one looks, or once. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createValidatorApi } from '../../client/api.ts';
import { messageOf } from '../../client/http.ts';
import { openScreen } from './status/screen.ts';
import { createStatusSource, type Snapshot, type StatusSource } from './status/snapshot.ts';
import { statusLines, type ViewOptions } from './status/view.ts';

export interface StatusOptions {
  readonly url: string;
  /** Seconds between two questions. */
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
  /** File with the token of an operator. */
  readonly operatorTokenFile?: string;
}

/** Of what is not a terminal. */
const PLAIN_COLUMNS = 80;
/** The bar moves on between two questions. */
const DRAWN_EVERY_MS = 500;
/** A validator that takes this long is said to be gone, and asked again. */
const PATIENCE_MS = 10_000;

export async function statusCommand({ url, interval, once, json, operatorTokenFile }: StatusOptions): Promise<void> {
  const token = operatorTokenFile === undefined ? undefined : (await readFile(operatorTokenFile, 'utf8')).trim();
  const source = createStatusSource(createValidatorApi({ baseUrl: url, fetch }), { now: Date.now, token });
  if (json) {
    console.log(JSON.stringify({ url, ...(await source.read()) }, undefined, 2));
    return;
  }
  if (once || !process.stdout.isTTY) {
    const now = await source.read();
    const plain = { columns: process.stdout.columns || PLAIN_COLUMNS, rows: Infinity, colour: false, url };
    console.log(statusLines(now, { ...plain, now: Date.now() }).join('\n'));
    return;
  }
  await watch(source, url, interval * 1_000);
}

async function watch(source: StatusSource, url: string, intervalMs: number): Promise<void> {
  const { stdout } = process;
  const abort = new AbortController();
  const end = (): void => {
    abort.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, end);
  let snapshot: Snapshot | undefined;
  let failure: ViewOptions['failure'];
  const colour = (process.env['NO_COLOR'] ?? '') === '';
  const lines = (rows: number): string[] =>
    statusLines(snapshot, { columns: stdout.columns, rows, colour, now: Date.now(), url, failure });
  const screen = openScreen(stdout);
  const draw = (): void => screen.draw(lines(stdout.rows), stdout.rows);
  stdout.on('resize', draw);
  const drawing = setInterval(draw, DRAWN_EVERY_MS);
  try {
    draw();
    while (!abort.signal.aborted) {
      try {
        snapshot = await source.read(AbortSignal.any([abort.signal, AbortSignal.timeout(PATIENCE_MS)]));
        failure = undefined;
      } catch (error) {
        failure = { reason: messageOf(error), since: failure?.since ?? Date.now() };
      }
      draw();
      await sleep(intervalMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  } finally {
    clearInterval(drawing);
    stdout.off('resize', draw);
    screen.leave();
    for (const signal of signals) process.off(signal, end);
  }
  // What was seen last stays to be read.
  if (snapshot) console.log(lines(Infinity).join('\n'));
}
