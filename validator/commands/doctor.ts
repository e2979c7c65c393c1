/** `gauntlet doctor`: whether everything that a validator needs is as it has to be, and how to mend what is not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { messageOf } from '../../client/http.ts';
import { ifThere } from '../adapters/durable-file.ts';
import { lockHolder } from '../adapters/lock.ts';
import type { Places } from '../adapters/places.ts';
import { readRunFolder } from '../adapters/run-folder.ts';
import { examineChain } from './doctor/chain.ts';
import { examineClock, type ClockReading } from './doctor/clock.ts';
import { examinePostgres, examineSqlite } from './doctor/database.ts';
import { failure, looked, type Finding } from './doctor/finding.ts';
import { examineDisk, examineGrowth, examineLock } from './doctor/folder.ts';
import { examinePort } from './doctor/port.ts';
import { examineProcesses } from './doctor/processes.ts';
import { examineBlobs, examineManifest, examineWindows } from './doctor/run.ts';
import { examineApp, examineKey, examineNode, examineSettings, type Environment } from './doctor/settings.ts';
import { examineStore } from './doctor/store.ts';
import { builtApp, logLevel } from './process.ts';

export interface DoctorOptions {
  readonly data: string;
  readonly port: number;
  readonly host: string;
  /** Of the page, as browsers see it. */
  readonly origin?: string;
  readonly json?: boolean;
}

const MARKS = { ok: 'ok      ', warning: 'warning ', failure: 'FAILURE ' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', failure: 'red' } as const;
const CHECK_WIDTH = 14;

const PACKAGE = new URL('../../package.json', import.meta.url);

/** Looks at everything, in the order in which one thing needs another. Changes nothing but probes, which it takes away. */
export async function* examine(
  { data, port, host, origin = `http://localhost:${port}` }: DoctorOptions,
  environment: Environment,
  now: () => number = Date.now,
): AsyncGenerator<Finding> {
  const { engines } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { engines: { node: string } };
  yield* examineNode(process.versions.node, engines.node);
  const { places, findings } = examineSettings(environment, () => logLevel(environment));
  yield* findings;
  yield* examineApp(builtApp().staticDir);
  if (!places) return;
  const isLocal = places.database === undefined || places.bucket === undefined;
  yield* await looked('disk', () => examineDisk(data, isLocal));
  if (isLocal) yield* await looked('lock', () => examineLock(data));

  const clocks: ClockReading[] = [];
  const database = places.database === undefined ? examineSqlite(join(data, 'run.sqlite')) : await examinePostgres(places.database, now); // prettier-ignore
  yield* database.findings;
  if (database.clock) clocks.push(database.clock);
  const { bucket } = places;
  if (bucket) {
    yield* await looked('store', async () => {
      const store = await examineStore(bucket, origin, now);
      if (store.clock) clocks.push(store.clock);
      return store.findings;
    });
  }
  yield* examineClock(clocks);
  const key = places.keyFile ?? join(data, 'validator.key');
  let run: string | undefined;
  if (database.readable) {
    for await (const finding of examineRun(data, places, key, now)) {
      if (typeof finding === 'string') run = finding;
      else yield finding;
    }
  }
  yield* await looked('key', () => examineKey(key, run !== undefined));
  yield* await looked('port', () => examinePort(host, port, run));
}

/** What the record says. @returns findings, and the run's id once it is known */
async function* examineRun(
  data: string,
  places: Places,
  key: string,
  now: () => number,
): AsyncGenerator<Finding | string> {
  const folder = await readRunFolder(data, places).catch((error: unknown) => messageOf(error));
  if (typeof folder === 'string') {
    yield failure('run', `its record cannot be read: ${folder}`, 'Mend what is named above first.');
    return;
  }
  try {
    const { store, blobs } = folder;
    const signed = await store.run();
    if (!signed) return;
    yield signed.run;
    const secret = await ifThere(readFile(key)).catch(() => undefined);
    yield* await looked('run', () => Promise.resolve(examineManifest(signed, secret?.length === 32 ? secret : undefined))); // prettier-ignore
    let driven = (await lockHolder(data)) !== undefined;
    if (folder.shared) {
      const { shared } = folder;
      yield* await looked('evaluators', async () => {
        const look = await examineProcesses(shared);
        driven = look.driven;
        return look.findings;
      });
    }
    yield* await looked('windows', () => examineWindows(store, driven, now()));
    yield* await looked('blobs', () => examineBlobs(signed, store, blobs));
    if (!places.bucket) yield* await looked('growth', () => examineGrowth(data, store));
    const { chain } = signed.manifest;
    if (chain) yield* await looked('chain', () => examineChain(chain));
  } finally {
    await folder.close();
  }
}

export async function doctorCommand(options: DoctorOptions): Promise<void> {
  const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const all: Finding[] = [];
  for await (const finding of examine(options, process.env)) {
    all.push(finding);
    const { check, result, says, mend } = finding;
    if (options.json) continue;
    const mark = colour ? styleText(COLOURS[result], MARKS[result]) : MARKS[result];
    console.log(`${mark} ${check.padEnd(CHECK_WIDTH)} ${says}`);
    if (mend !== undefined) console.log(`${' '.repeat(MARKS.ok.length + CHECK_WIDTH + 2)}${mend}`);
  }
  const count = (result: Finding['result']): number => all.filter((finding) => finding.result === result).length;
  const [warnings, failures] = [count('warning'), count('failure')];
  if (options.json) console.log(JSON.stringify({ failures, warnings, findings: all }, undefined, 2));
  else console.log(failures + warnings === 0 ? 'All is well.' : `Failures: ${failures}, warnings: ${warnings}.`);
  if (failures > 0) process.exitCode = 1;
}
