/** `gauntlet start`: a validator, the app, and simulated peers beside it, until Ctrl-C. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WindowSummary } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { readHotkeyFile } from '../adapters/chain/hotkey-file.ts';
import { createLog } from '../adapters/log.ts';
import { placesOf } from '../adapters/places.ts';
import { createValidator, type ValidatorOptions } from '../serve.ts';
import { openOrCreate, type NewRunOptions } from './create.ts';
import { builtApp, logLevel, untilStopped } from './process.ts';
import { servingOptions, type ServingOptions } from './serving.ts';
import { UsageError } from './usage-error.ts';

const CROWD = fileURLToPath(new URL('../../simulate/main.ts', import.meta.url));
/** The page reads a chain from whichever node its user names; one's own has no certificate. */
export const CHAIN_NODES = ['wss:', 'ws://127.0.0.1:*', 'ws://localhost:*'];
/** What a simulated peer trains a window, so that several share a machine with a person's browser. */
const CROWD_PAGES = 12;

export interface StartOptions extends NewRunOptions, ServingOptions {
  readonly port: number;
  readonly host: string;
  readonly peers: number;
  readonly attackers: number;
  /** Names of attacks, one attacker each, in place of a number of them. */
  readonly attack?: readonly string[];
  readonly open?: boolean;
  /** Hotkey that tells the run's chain its weights. */
  readonly chainKeyFile?: string;
  /** Neuron that gets what the run gives nobody. */
  readonly burnUid?: number;
}

function startCrowd(
  validatorUrl: string,
  { data, peers, attackers, attack = [] }: StartOptions,
): ChildProcess | undefined {
  if (peers + attackers + attack.length === 0) return undefined;
  const crowd = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      CROWD,
      ...['--validator', validatorUrl],
      ...['--folder', join(data, 'peers')],
      ...['--honest', String(peers), '--attackers', String(attackers)],
      ...attack.flatMap((name) => ['--attack', name]),
      ...['--max-pages', String(CROWD_PAGES)],
    ],
    // Its standard input is the leash: it ends when this process does, however this process ends.
    { stdio: ['pipe', 'inherit', 'inherit'], cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  crowd.on('exit', (code) => {
    if (code !== 0 && code !== null) console.error('The simulated peers have stopped; the validator goes on.');
  });
  return crowd;
}

function openPage(url: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => console.error(`no browser could be opened; visit ${url}`))
    .unref();
}

function windowLine({ window, lossBefore, lossAfter, participants, aggregated }: WindowSummary): string {
  const loss = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
  return `window ${window}: loss ${loss(lossBefore)} → ${loss(lossAfter)}, ${participants ?? 0} contributed, ${aggregated} aggregated`;
}

/** @throws HotkeyFileError; UsageError for a run that has nobody to tell */
async function weightsOf(
  { chainKeyFile, burnUid }: StartOptions,
  { run, manifest }: SignedManifest,
): Promise<ValidatorOptions['weights']> {
  if (chainKeyFile === undefined) return undefined;
  if (!manifest.chain) throw new UsageError(`run ${run} hangs on no chain, so there is nothing to set weights on`);
  return { signer: await readHotkeyFile(chainKeyFile), ...(burnUid === undefined ? {} : { burnUid }) };
}

export async function startCommand(options: StartOptions): Promise<void> {
  const { signed, created } = await openOrCreate(options);
  const weights = await weightsOf(options, signed);
  const validator = await createValidator({
    dataDir: options.data,
    port: options.port,
    host: options.host,
    places: placesOf(process.env),
    ...builtApp(),
    connectSources: CHAIN_NODES,
    ...servingOptions(options),
    log: createLog(logLevel()),
    ...(weights ? { weights } : {}),
  });
  const stopped = untilStopped();
  const { manifest } = signed;
  if (!created && options.window !== undefined) {
    const seconds = manifest.window.trainSeconds + manifest.window.putSeconds;
    console.log(`This run keeps its windows of about ${seconds} s; --window is for new runs.`);
  }
  console.log(
    `${created ? 'New run' : 'Run'} ${signed.run}: ${manifest.name}, window ${validator.service.clock().window}`,
  );
  console.log(`Open ${validator.url}`);
  validator.onWindow((window) => console.log(windowLine(window)));
  console.log(
    manifest.chain
      ? `Subnet ${manifest.chain.netuid} of chain ${manifest.chain.genesisHash.slice(0, 10)}…: its blocks are the clock.`
      : 'No chain: scores and weights are this run’s own, and no currency is implied.',
  );
  if (!manifest.guests) console.log('This run admits wallets only, so no simulated peers are started.');
  const crowd = manifest.guests ? startCrowd(validator.url, options) : undefined;
  if (options.open) openPage(validator.url);

  await stopped;
  console.log('Stopping …');
  crowd?.kill('SIGTERM');
  await validator.close();
}
