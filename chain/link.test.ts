import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLink, type LinkOptions } from './link.ts';
import { startEmulator, type Emulator } from './testing/emulator/emulator.ts';
import type { ChainStatus } from './types.ts';

const NOWHERE = 'ws://127.0.0.1:1';

describe('openLink', () => {
  let node: Emulator;
  beforeAll(async () => (node = await startEmulator()));
  afterAll(() => node.close());

  const options = (change: Partial<LinkOptions> = {}): LinkOptions => ({
    endpoints: [node.endpoint],
    timeoutMs: 5_000,
    silenceMs: 60_000,
    ...change,
  });

  it('passes over an endpoint that is gone', async () => {
    const link = await openLink(options({ endpoints: [NOWHERE, node.endpoint] }));
    expect(link.status()).toMatchObject({ kind: 'connected', endpoint: node.endpoint });
    await link.close();
  });

  it('says that none is there', async () => {
    await expect(openLink(options({ endpoints: [NOWHERE] }))).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(openLink(options({ endpoints: [] }))).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('gives up an endpoint without new blocks, and connects anew', async () => {
    const link = await openLink(options({ silenceMs: 200 }));
    const heard: ChainStatus[] = [];
    await new Promise<void>((resolve) =>
      link.onStatus((status) => {
        heard.push(status);
        if (status.kind === 'connected') resolve();
      }),
    );
    expect(heard.map(({ kind }) => kind)).toEqual(['disconnected', 'connecting', 'connected']);
    expect(heard[0]).toMatchObject({ reason: expect.stringMatching(/no new block/) as unknown });
    await link.close();
  });

  it('ends work that takes too long, and work under way when it is closed', async () => {
    const link = await openLink(options());
    const never = (): Promise<never> => new Promise(() => undefined);
    await expect(link.use(never, 50)).rejects.toMatchObject({ kind: 'unreachable' });
    const underWay = expect(link.use(never)).rejects.toMatchObject({ kind: 'unreachable' });
    await link.close();
    await underWay;
    await expect(link.use(() => Promise.resolve(1))).rejects.toMatchObject({ kind: 'unreachable' });
  });
});
