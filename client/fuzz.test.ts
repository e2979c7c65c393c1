/** What a hostile validator or a link may give a page to unpack. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ClockSchema } from '../core/protocol/api.ts';
import { ProblemError } from '../core/protocol/problem.ts';
import { RecordingSchema } from '../core/protocol/recording.ts';
import {
  acceptedOf,
  expectUnpolluted,
  FUZZ_TIMEOUT_MS,
  hostileBytes,
  hostileJson,
  printTally,
  sample,
  tally,
} from '../core/testing/hostile.ts';
import { createValidatorApi } from './api.ts';
import { boundedFetch, UnreachableError } from './http.ts';
import { RecordingError, unpackRecording } from './recording.ts';

const file = gunzipSync(readFileSync(new URL('../public/replay/showcase.json.gz', import.meta.url)));
const whole = RecordingSchema.parse(JSON.parse(file.toString()));
/** One window of it, which has one of everything. */
const recording = { ...whole, windows: whole.windows.slice(0, 1), samples: whole.samples.slice(0, 1) };

async function unpacks(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    // What was let in is as the schema says, and nothing else came along.
    expect(RecordingSchema.safeParse(await unpackRecording(bytes)).success).toBe(true);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RecordingError);
    expect((error as Error).message).toMatch(/^This .*\.$|^This .*`\.$/s);
    return false;
  }
}

afterAll(printTally);

describe('recordings', () => {
  it(
    'are unpacked, or refused with a sentence',
    async () => {
      const packed = new Uint8Array(gzipSync(JSON.stringify(recording)));
      expect(await unpacks(packed)).toBe(true);
      await fc.assert(
        fc.asyncProperty(hostileBytes([packed]), async (bytes) => tally('packed recordings', await unpacks(bytes))),
        sample(60),
      );
      await fc.assert(
        fc.asyncProperty(hostileJson(fc.constant(recording)), async (text) =>
          tally('recordings', await unpacks(new TextEncoder().encode(text))),
        ),
        sample(60),
      );
      expect(acceptedOf('recordings')).toBeGreaterThan(0);
      expectUnpolluted();
    },
    FUZZ_TIMEOUT_MS,
  );

  it.each(['[', '{"a":', '[[],'])('of %s over and over are refused before they are parsed', async (part) => {
    const json = part.repeat(4 * 2 ** 20);
    const bomb = new Uint8Array(gzipSync(json));
    expect(bomb.length).toBeLessThan(2 ** 20);
    const unparsed = { name: 'RecordingError', cause: { message: 'the JSON is nested deeper than 64 levels' } };
    await expect(unpackRecording(bomb)).rejects.toMatchObject(unparsed);
    await expect(unpackRecording(new TextEncoder().encode(json))).rejects.toMatchObject(unparsed);
  });
});

describe('answers of a validator', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  /** Answers each request on a real socket. @returns its address */
  async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
    server = createServer({}, answer);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const ask = { maxBytes: 2 ** 20, timeoutMs: 10_000 };

  it('that unfold from a megabyte to a gigabyte are given up at the bound', async () => {
    let unfolded = 0;
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      const zip = createGzip({ level: 9 });
      zip.pipe(response);
      const zeros = Buffer.alloc(2 ** 20, 0x20);
      const more = (): void => {
        while (unfolded < 2 ** 30 && !response.destroyed) {
          unfolded += zeros.length;
          if (!zip.write(zeros)) {
            zip.once('drain', more);
            return;
          }
        }
        zip.end();
      };
      more();
    });
    await expect(boundedFetch(fetch, `${url}/v1/clock`, ask)).rejects.toThrow(/more than the 1048576 bytes/);
    expect(unfolded).toBeLessThan(2 ** 30);
  });

  it('that refuse at any length are cut, too', async () => {
    const url = await serve((_, response) => {
      response.writeHead(500, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: '/problems/internal', title: '', status: 500, detail: 'x'.repeat(2 ** 20) }));
    });
    await expect(boundedFetch(fetch, `${url}/v1/clock`, ask)).rejects.toThrow(UnreachableError);
  });

  it('that drip a byte at a time are given up at the deadline', async () => {
    const drips: NodeJS.Timeout[] = [];
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      drips.push(setInterval(() => response.write(' '), 20));
    });
    await expect(boundedFetch(fetch, `${url}/v1/clock`, { ...ask, timeoutMs: 200 })).rejects.toThrow(UnreachableError);
    for (const drip of drips) clearInterval(drip);
  });

  it(
    'are of their schema, or no answers',
    async () => {
      const clock = {
        run: '0a'.repeat(16),
        window: 1,
        phase: 'train',
        opensAt: '2026-01-01T00:00:00.000Z',
        putOpensAt: '2026-01-01T00:00:00.000Z',
        putClosesAt: '2026-01-01T00:00:00.000Z',
        serverTime: '2026-01-01T00:00:00.000Z',
        assignmentSeed: 'ab'.repeat(32),
        stateRoot: 'ab'.repeat(32),
        blocks: null,
      };
      let said = '';
      let status = 200;
      const api = createValidatorApi({
        baseUrl: 'http://validator.test',
        fetch: () => Promise.resolve(new Response(said, { status })),
      });
      await fc.assert(
        fc.asyncProperty(hostileJson(fc.constant(clock)), fc.boolean(), async (text, refused) => {
          said = text;
          status = refused ? 409 : 200;
          try {
            expect(ClockSchema.safeParse(await api.clock()).success).toBe(true);
            tally('clocks', true);
          } catch (error) {
            expect(error instanceof UnreachableError || error instanceof ProblemError, String(error)).toBe(true);
            tally('clocks', false);
          }
        }),
        sample(150),
      );
      expect(acceptedOf('clocks')).toBeGreaterThan(0);
      expectUnpolluted();
    },
    FUZZ_TIMEOUT_MS,
  );

  it('of brackets alone are no answers, and are not parsed', async () => {
    const api = createValidatorApi({
      baseUrl: 'http://validator.test',
      fetch: () => Promise.resolve(new Response('['.repeat(2 ** 20))),
    });
    await expect(api.clock()).rejects.toMatchObject({
      name: 'UnreachableError',
      cause: { message: 'the JSON is nested deeper than 64 levels' },
    });
  });
});
