/**
 * A validator's process is told to end while a window is trained for, uploaded to and judged: what was begun is finished, and
 * the process ends by itself. What it logged on the way is read line by line.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createValidatorApi, type ValidatorApi } from '../client/api.ts';
import type { Phase, SignedReceipt } from '../core/protocol/api.ts';
import { HotkeySchema, RunIdSchema, WindowSchema } from '../core/protocol/primitives.ts';
import { writeTestRun } from '../validator/adapters/testing/test-run.ts';
import { createCrowd, type SimulatedPeer } from './peers.ts';
import { startGauntlet, type GauntletProcess } from './testing/gauntlet-process.ts';

const Line = z.object({ level: z.int(), time: z.int(), run: RunIdSchema, msg: z.string() });
const OfWindow = Line.extend({ window: WindowSchema });
const OfPeer = OfWindow.extend({ hotkey: HotkeySchema });
/** Every message of a run in good health, with the fields that it has to have. */
const LINES: Readonly<Record<string, z.ZodType>> = {
  'validator started': OfWindow.extend({ url: z.url() }),
  'validator stops': OfWindow,
  'validator stopped': Line,
  'window has new deadlines': OfWindow,
  'window published': OfWindow.extend({ participants: z.int(), aggregated: z.int(), judgeSeconds: z.number() }),
  'peer joined': OfPeer,
  // The test run’s tokenizer is none.
  'no sample of the model was taken': OfWindow,
  'contribution accepted': OfPeer.extend({ bytes: z.int() }),
};

/** A line to the validator of the moment, on which an upload can be held up in its middle. */
interface SlowLine {
  readonly url: string;
  leadTo(url: string): void;
  /** Resolves when the next upload's head has gone through; its body waits until `release`. */
  hold(): Promise<void>;
  release(): void;
  close(): void;
}

async function openSlowLine(): Promise<SlowLine> {
  let target = 0;
  let held: (() => void) | undefined;
  let released = Promise.resolve();
  let release = (): void => undefined;
  const server: Server = createServer((socket) => {
    const upstream = connect(target, '127.0.0.1');
    let passing = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      const isUpload = held !== undefined && chunk.includes('PUT /v1/uploads/');
      const cut = isUpload ? chunk.indexOf('\r\n\r\n') + 4 : chunk.length;
      passing = passing.then(() => void upstream.write(chunk.subarray(0, cut)));
      if (!isUpload) return;
      const told = held!;
      held = undefined;
      passing = passing.then(() => {
        told();
        return released;
      });
      passing = passing.then(() => void upstream.write(chunk.subarray(cut)));
    });
    upstream.on('data', (chunk) => socket.write(chunk));
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
    };
    for (const each of [socket, upstream]) each.on('close', end).on('error', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(url) {
      target = Number(new URL(url).port);
    },
    hold() {
      released = new Promise((resolve) => (release = resolve));
      return new Promise((resolve) => (held = resolve));
    },
    release: () => release(),
    close: () => server.close(),
  };
}

describe('a validator that is told to end', () => {
  let folder: string;
  let line: SlowLine;
  let peers: SimulatedPeer[] = [];
  const processes: GauntletProcess[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shutdown-'));
    line = await openSlowLine();
  });
  afterAll(async () => {
    for (const { contributor } of peers) contributor.stop();
    await Promise.all(processes.map((each) => each.kill()));
    line.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<GauntletProcess & { readonly api: ValidatorApi; readonly url: string }> {
    const args = ['start', '--data', join(folder, 'run'), '--peers', '0', '--attackers', '0', '--port', '0'];
    const started = startGauntlet(args, { GAUNTLET_LOG: 'info' });
    processes.push(started);
    const [, url] = await started.said(/Open (http:\S+)/);
    line.leadTo(url!);
    return { ...started, url: url!, api: createValidatorApi({ baseUrl: url!, fetch }) };
  }

  /** Resolves at the first news of the phase. @returns the window */
  async function reaches(url: string, wanted: Phase): Promise<number> {
    const response = await fetch(`${url}/v1/events`);
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const window = new RegExp(`"window":(\\d+),"phase":"${wanted}"`).exec(text)?.[1];
      if (window !== undefined) return Number(window);
    }
    throw new Error(`the stream ended before ${wanted}`);
  }

  it('finishes uploads and judgement under way, lets listeners go, and ends by itself', async () => {
    // Room for a process to stop in, on a busy machine too.
    await writeTestRun(join(folder, 'run'), undefined, undefined, undefined, { trainSeconds: 3, putSeconds: 12 });

    const training = await start();
    const listener = (await fetch(`${training.url}/v1/events`)).body!.getReader();
    await listener.read();
    expect(await training.terminate(), training.output()).toBe(0);
    while (!(await listener.read()).done);

    const receipts: SignedReceipt[] = [];
    const taking = await start();
    const held = line.hold();
    peers = await createCrowd({
      validatorUrl: line.url,
      folder: join(folder, 'peers'),
      honest: 2,
      attackers: 0,
      onEvent: (_, event) => {
        if (event.type === 'receipt') receipts.push(event.receipt);
      },
    });
    for (const { contributor } of peers) void contributor.run();
    await held;
    const { window } = await taking.api.clock();
    const ended = taking.terminate();
    await taking.said(/Stopping/);
    const before = receipts.length;
    line.release();
    expect(await ended, taking.output()).toBe(0);
    await expect.poll(() => receipts.length).toBeGreaterThan(before);

    const judging = await start();
    const judged = await reaches(judging.url, 'judge');
    expect(judged).toBeGreaterThanOrEqual(window);
    expect(await judging.terminate(), judging.output()).toBe(0);

    const last = await start();
    const published = await Promise.all(
      (await last.api.windows(1, 100)).map(({ window: each }) => last.api.window(each)),
    );
    expect(published.map((each) => each.window)).toContain(judged);
    const taken = published.flatMap((each) => each.contributions.map(({ sha256 }) => `${each.window} ${sha256}`));
    const due = receipts.filter(({ receipt }) => receipt.window <= judged);
    expect(due.length).toBeGreaterThan(0);
    for (const { receipt } of due) expect(taken).toContain(`${receipt.window} ${receipt.sha256}`);
    for (const { contributor } of peers) contributor.stop();
    expect(await last.terminate(), last.output()).toBe(0);

    const lines = processes.flatMap((each) =>
      each
        .output()
        .split('\n')
        .filter((text) => text.startsWith('{')),
    );
    const seen = new Set<string>();
    for (const text of lines) {
      const { msg } = Line.parse(JSON.parse(text));
      seen.add(msg);
      // A refusal’s message is what its peer was told.
      const schema = LINES[msg] ?? OfPeer.extend({ problem: z.string() });
      const parsed = schema.safeParse(JSON.parse(text));
      expect([text, parsed.error?.issues]).toEqual([text, undefined]);
    }
    const mayLack = 'window has new deadlines';
    expect(Object.keys(LINES).filter((msg) => msg !== mayLack && !seen.has(msg))).toEqual([]);
  }, 600_000);
});
