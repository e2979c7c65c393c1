import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RECORDING_BYTES, RecordingError, unpackRecording } from './recording.ts';

const fileOf = (value: unknown): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(JSON.stringify(value)));

describe('unpackRecording', () => {
  it('refuses whatever is no recording with a sentence, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        await expect(unpackRecording(new Uint8Array(gzipSync(text)))).rejects.toThrow(RecordingError);
        await expect(unpackRecording(new TextEncoder().encode(text))).rejects.toThrow(RecordingError);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await expect(unpackRecording(new Uint8Array([0x1f, 0x8b, ...bytes]))).rejects.toThrow(RecordingError);
      }),
    );
  });

  it('says what is wrong with one that nearly is, and what to do about a newer one', async () => {
    await expect(unpackRecording(fileOf({ format: 'gauntlet-recording', version: 1 }))).rejects.toThrow(
      /^This file is no recording: recordedAt: /,
    );
    await expect(unpackRecording(fileOf({ format: 'gauntlet-recording', version: 2 }))).rejects.toThrow(
      'This recording is of version 2, newer than this page',
    );
  });

  it('refuses one too large before it unpacks it, and a small one that unfolds to too much while it does', async () => {
    await expect(unpackRecording(new Uint8Array(MAX_RECORDING_BYTES + 1))).rejects.toThrow('larger than the 64 MiB');
    const bomb = gzipSync(Buffer.alloc(600 * 2 ** 20), { level: 1 });
    expect(bomb.length).toBeLessThan(8 * 2 ** 20);
    await expect(unpackRecording(new Uint8Array(bomb))).rejects.toThrow('larger than the 512 MiB');
  }, 30_000);
});
