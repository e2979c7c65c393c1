import { afterEach, describe, expect, it, vi } from 'vitest';
import type { VerifyResult } from '../../../workers/verifier/verifier-api.ts';
import { ChannelWorker } from '../../client/channel-worker.ts';
import { createVerification, type Verification } from './verification.ts';

const OPTIONS = { validatorUrl: 'http://localhost', window: 3 };
const FINDING = { check: 'the beacon', differences: [] };

let verification: Verification | undefined;
afterEach(() => verification?.cancel());

function create(verify: () => Promise<VerifyResult>): ChannelWorker[] {
  const workers: ChannelWorker[] = [];
  verification = createVerification(() => {
    const worker = new ChannelWorker({ verify });
    workers.push(worker);
    return worker;
  });
  verification.start(OPTIONS);
  return workers;
}

describe('a verification', () => {
  it('gathers findings until it is done, and lets the worker go', async () => {
    let end = (_result: VerifyResult): void => undefined;
    const [worker] = create(() => new Promise((resolve) => (end = resolve)));
    await vi.waitFor(() => expect(worker!.connected).toBe(true));
    worker!.emit({ type: 'progress', what: 'losses' });
    worker!.emit({ type: 'finding', finding: FINDING });
    await vi.waitFor(() =>
      expect(verification!.store.getState()).toMatchObject({
        kind: 'running',
        progress: 'losses',
        findings: [FINDING],
      }),
    );
    end({ ended: true, seconds: 2 });
    await vi.waitFor(() => expect(verification!.store.getState()).toMatchObject({ kind: 'done', seconds: 2 }));
    expect(worker!.terminated).toBe(true);
  });

  it('says why it could not be made', async () => {
    create(() => Promise.resolve({ ended: false, reason: 'no book' }));
    await vi.waitFor(() => expect(verification!.store.getState()).toMatchObject({ kind: 'failed', reason: 'no book' }));
  });

  it('fails with its worker', async () => {
    const [worker] = create(() => new Promise(() => undefined));
    await vi.waitFor(() => expect(worker!.connected).toBe(true));
    worker!.die('out of memory');
    await vi.waitFor(() => expect(verification!.store.getState().kind).toBe('failed'));
  });

  it('is gone when it is cancelled', async () => {
    const [worker] = create(() => new Promise(() => undefined));
    await vi.waitFor(() => expect(worker!.connected).toBe(true));
    verification!.cancel();
    expect(worker!.terminated).toBe(true);
    expect(verification!.store.getState().kind).toBe('idle');
  });
});
