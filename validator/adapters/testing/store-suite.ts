/** What every run store must do, whatever database it is on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshFigures } from '../../../core/gauntlet/scoring.ts';
import type { Sample, WindowRecord, WindowSummary } from '../../../core/protocol/api.ts';
import type { ChainRecord } from '../../../core/protocol/chain.ts';
import type { SignedManifest } from '../../../core/protocol/manifest.ts';
import { REFERENCE_GAUNTLET } from '../../../core/model/presets.ts';
import type { ContributionRow, OpenWindow, RunStore, WindowClose } from '../../rounds/store.ts';

const HASH = 'ab'.repeat(32);
const signed = {
  run: '00'.repeat(16),
  signature: 'cd'.repeat(64),
  manifest: { name: 'stored as it is' },
} as unknown as SignedManifest;
const figures = freshFigures(REFERENCE_GAUNTLET);

const windowOf = (window: number): OpenWindow => ({
  window,
  opensAt: 1_767_225_600_000 + window,
  putOpensAt: 1_767_225_601_000,
  putClosesAt: 1_767_225_602_000,
  blocks: window % 2 === 0 ? null : { putOpens: 10 * window, putCloses: 10 * window + 3 },
  assignmentSeed: HASH,
  beaconSecret: HASH,
  beaconCommit: HASH,
  stateRoot: HASH,
  judging: false,
});

const recordOf = (window: number): WindowRecord => ({
  run: signed.run,
  window,
  phase: 'publish',
  opensAt: '2026-01-01T00:00:00.000Z',
  putOpensAt: '2026-01-01T00:00:01.000Z',
  putClosesAt: '2026-01-01T00:00:02.000Z',
  publishedAt: '2026-01-01T00:00:03.000Z',
  assignmentSeed: HASH,
  learningRate: 0.001,
  lossBefore: 3,
  lossAfter: 2.5,
  participants: 1,
  contributions: [],
  evaluated: [],
  aggregated: ['a'],
  beacon: { commit: HASH, reveal: HASH },
  outerStep: { sha256: HASH, bytes: 10 },
  stateRoot: HASH,
});

const summaryAt = (window: number): WindowSummary => ({
  window,
  lossBefore: 3,
  lossAfter: 2.5,
  participants: 1,
  aggregated: 1,
  stateRoot: HASH,
  outerStep: { sha256: HASH, bytes: 10 },
  tokens: 512,
  bytes: 5_000_000_000,
  rejected: 2,
  caught: { sync: 1 },
  evaluated: 1,
  keptOut: 0.25,
});

const closeOf = (window: number, change: Partial<WindowClose> = {}): WindowClose => ({
  record: recordOf(window),
  summary: summaryAt(window),
  verdicts: [],
  history: [],
  peers: [],
  checkpoint: null,
  book: { ref: { sha256: HASH, bytes: 10 + window }, signature: '0'.repeat(128) },
  next: windowOf(window + 1),
  forgetTicketsBefore: window - 1,
  ...change,
});

const contributionOf = (hotkey: string, sha256 = HASH, window = 1): ContributionRow => ({
  window,
  hotkey,
  sha256,
  bytes: 5_000_000_000,
  arrivedAt: '2026-01-01T00:00:01.500Z',
  pagesTrained: 3,
  sessionKey: HASH,
  receipt: {
    receipt: { run: signed.run, window, hotkey, sha256, bytes: 5_000_000_000, arrivedAt: '2026-01-01T00:00:01.500Z' },
    signature: 'ef'.repeat(64),
  },
});

const verdictOf = (window: number, reason: string) => ({
  window,
  check: 'format' as const,
  pass: false,
  reason,
  value: null,
  threshold: null,
});

/** @param open a store on the same database each time, an empty one at first */
export function describeRunStore(name: string, open: () => Promise<RunStore>): void {
  describe(`run store on ${name}`, () => {
    let store: RunStore;
    const join = (hotkey: string, sessionKey = HASH, replaces: string | null = null) =>
      store.join(
        {
          run: signed.run,
          hotkey,
          sessionKey,
          scopes: ['contribute'],
          issuedAt: '2026-01-01T00:00:00Z',
          expiresAt: '2026-02-01T00:00:00Z',
        },
        { firstWindow: 1, figures, replaces, maxPeers: 3, guest: true, origin: null, bounds: null },
      );

    beforeEach(async () => {
      store = await open();
      expect(await store.run()).toBeUndefined();
      await store.createRun(signed, { window: 1, stateRoot: HASH, chunks: [{ sha256: HASH, bytes: 4 }] }, windowOf(1));
    });
    afterEach(() => store.close());

    it('keeps the run, and only one', async () => {
      expect(await store.run()).toEqual(signed);
      await expect(store.createRun(signed, { window: 1, stateRoot: HASH, chunks: [] }, windowOf(1))).rejects.toThrow();
      await store.close();
      store = await open();
      expect(await store.run()).toEqual(signed);
      expect(await store.openWindow()).toEqual(windowOf(1));
    });

    it('numbers peers, and changes the session of a known one', async () => {
      expect(await join('b')).toMatchObject({ uid: 0, accepted: 0, figures });
      expect(await join('a')).toMatchObject({ uid: 1 });
      expect(await join('b', 'cc'.repeat(32))).toMatchObject({ uid: 0, sessionKey: 'cc'.repeat(32) });
      expect((await store.peers()).map(({ hotkey }) => hotkey)).toEqual(['b', 'a']);
      expect(await store.peer('c')).toBeUndefined();
    });

    it('has room for as many as it is told, however many come at once', async () => {
      const joined = await Promise.all(['a', 'b', 'c', 'd'].map((hotkey) => join(hotkey)));
      expect(joined.filter((peer) => peer === undefined)).toHaveLength(1);
      expect((await store.peers()).map(({ uid }) => uid)).toEqual([0, 1, 2]);
      expect(await store.peerCount()).toBe(3);
      expect(await join('a', 'cc'.repeat(32))).toMatchObject({ sessionKey: 'cc'.repeat(32) });
    });

    it('voids delegations until a revocation, by the session key that is in force alone', async () => {
      await join('a');
      const at = '2026-01-15T00:00:00Z';
      expect(await store.revoke('a', 'cc'.repeat(32), at)).toBe(false);
      expect(await store.revoke('nobody', HASH, at)).toBe(false);
      expect(await store.peer('a')).toMatchObject({ revokedAt: null });
      expect(await store.revoke('a', HASH, at)).toBe(true);
      expect(await store.revoke('a', HASH, '2026-01-10T00:00:00Z')).toBe(true);
      expect(await store.newestDelegation('a')).toEqual({ issuedAt: '2026-01-01T00:00:00Z', revokedAt: at });
      expect(await join('a')).toBeUndefined();
    });

    it('keeps the newest readings of the chain, one a block and hotkey', async () => {
      const recordAt = (block: number, incentive = 0.5): ChainRecord => ({
        block,
        at: '2026-01-01T00:00:00.000Z',
        uid: 3,
        incentive,
        emission: 1.5,
        stake: null,
        rank: 1,
        alphaPrice: 0.02,
        gauntletWeight: null,
      });
      for (let block = 1; block <= 5; block++)
        await store.addChainRecords([{ hotkey: 'a', record: recordAt(block) }], 3);
      await store.addChainRecords([{ hotkey: 'b', record: recordAt(1) }, { hotkey: 'a', record: recordAt(5, 0.7) }], 3); // prettier-ignore
      expect(await store.chainRecords('a', 10)).toEqual([recordAt(3), recordAt(4), recordAt(5, 0.7)]);
      expect(await store.chainRecords('a', 1)).toEqual([recordAt(5, 0.7)]);
      expect(await store.chainRecords('b', 10)).toEqual([recordAt(1)]);
      expect(await store.chainRecords('c', 10)).toEqual([]);
    });

    it('keeps one sample a window, and gives the newest, oldest first', async () => {
      const sampleOf = (window: number, text = 'a day'): Sample => ({ window, completions: [{ prompt: 'The', text }] });
      expect(await store.samples(10)).toEqual([]);
      for (const window of [9, 2, 10]) await store.addSample(sampleOf(window));
      await store.addSample(sampleOf(9, 'another day'));
      expect(await store.samples(10)).toEqual([sampleOf(2), sampleOf(9, 'another day'), sampleOf(10)]);
      expect(await store.samples(1)).toEqual([sampleOf(10)]);
    });

    it('lets a newcomer take over a uid, and keeps what is on record of the peer that had it', async () => {
      await join('a');
      await join('b');
      await store.accept(contributionOf('a'));
      await store.refuse('a', verdictOf(1, 'refused'), 2);
      const point = { window: 1, rating: { mu: 1, sigma: 2, ordinal: 3 }, poc: 0, sync: 1, peerScore: 0, weight: 0, rank: 1, aggregated: true, lossScore: null }; // prettier-ignore
      await store.closeWindow(closeOf(1, { history: [{ hotkey: 'a', point }] }));

      expect(await join('c', HASH, 'a')).toMatchObject({ uid: 0, accepted: 0, rejected: 0 });
      expect((await store.peers()).map(({ hotkey }) => hotkey)).toEqual(['c', 'b']);
      expect(await store.peerCount()).toBe(2);
      expect(await store.peer('a')).toBeUndefined();
      await expect(store.accept(contributionOf('a', HASH, 2))).rejects.toThrow(/no peer/);
      expect(await store.history('a', 10)).toEqual([point]);
      expect(await store.receipts('a', 10)).toHaveLength(1);
      expect(await store.verdicts('a', 10)).toHaveLength(1);
      expect(await store.newestDelegation('a')).toEqual({ issuedAt: '2026-01-01T00:00:00Z', revokedAt: null });
      expect(await store.newestDelegation('nobody')).toBeUndefined();

      expect(await join('d', HASH, 'b')).toMatchObject({ uid: 1 });
      expect(await join('a')).toMatchObject({ uid: 2, accepted: 0, rejected: 0, figures });
      expect((await store.peers()).map(({ hotkey }) => hotkey)).toEqual(['c', 'd', 'a']);
    });

    it('leaves its uid to whoever is no peer any more or delivers again', async () => {
      await join('a');
      await store.accept(contributionOf('a'));
      expect(await join('b', HASH, 'a')).toBeUndefined();
      expect(await join('b', HASH, 'stranger')).toBeUndefined();
      expect((await store.peers()).map(({ hotkey }) => hotkey)).toEqual(['a']);
      await store.closeWindow(closeOf(1));
      expect(await join('b', HASH, 'a')).toMatchObject({ uid: 0 });
      expect(await join('c', HASH, 'a')).toBeUndefined();
    });

    it('accepts one contribution a peer and window, and counts it once', async () => {
      await join('a');
      expect(await store.accept(contributionOf('a'))).toEqual(contributionOf('a'));
      expect(await store.accept(contributionOf('a', 'cd'.repeat(32)))).toEqual(contributionOf('a'));
      expect(await store.peer('a')).toMatchObject({ accepted: 1 });
      expect(await store.contributions(1)).toEqual([contributionOf('a')]);
      expect(await store.receipts('a', 10)).toEqual([contributionOf('a').receipt]);
    });

    it('accepts none once the window is judged, none of a stranger and none of another window', async () => {
      await join('a');
      await expect(store.accept(contributionOf('stranger'))).rejects.toThrow();
      await expect(store.accept(contributionOf('a', HASH, 2))).rejects.toThrow(/takes no uploads/);
      await store.markJudging(1);
      expect(await store.openWindow()).toMatchObject({ judging: true });
      await expect(store.accept(contributionOf('a'))).rejects.toThrow(/takes no uploads/);
      expect(await store.peer('a')).toMatchObject({ accepted: 0 });
      expect(await store.contributions(1)).toEqual([]);
    });

    it('accepts one of several contributions that a peer sends at once', async () => {
      await join('a');
      const hashes = ['ab', 'cd', 'ef', '12'].map((byte) => byte.repeat(32));
      const kept = await Promise.all(hashes.map((sha256) => store.accept(contributionOf('a', sha256))));
      expect(new Set(kept.map(({ sha256 }) => sha256)).size).toBe(1);
      expect(await store.contributions(1)).toEqual(kept.slice(0, 1));
      expect(await store.peer('a')).toMatchObject({ accepted: 1 });
    });

    it('has on record what was accepted before the judging, and accepts nothing after it', async () => {
      const hotkeys = ['a', 'b', 'c'];
      for (const hotkey of hotkeys) await join(hotkey);
      const [judged, ...uploads] = await Promise.allSettled([
        store.markJudging(1).then(() => store.contributions(1)),
        ...hotkeys.map((hotkey) => store.accept(contributionOf(hotkey))),
      ]);
      const accepted = uploads.filter(({ status }) => status === 'fulfilled');
      expect(judged).toMatchObject({ status: 'fulfilled' });
      expect(judged.status === 'fulfilled' && judged.value).toHaveLength(accepted.length);
      expect(await store.contributions(1)).toHaveLength(accepted.length);
    });

    it('orders contributions by their hotkeys’ bytes, whatever the database’s language', async () => {
      for (const hotkey of ['b', 'B', 'a']) {
        await join(hotkey);
        await store.accept(contributionOf(hotkey));
      }
      expect((await store.contributions(1)).map(({ hotkey }) => hotkey)).toEqual(['B', 'a', 'b']);
    });

    it('keeps one ticket a peer and window, the same one for the same bytes', async () => {
      const ticket = { id: '1', window: 1, hotkey: 'a', sha256: HASH, bytes: 5_000_000_000, sessionKey: HASH };
      expect(await store.issueTicket(ticket)).toEqual(ticket);
      expect(await store.issueTicket({ ...ticket, id: '2' })).toEqual(ticket);
      expect(await store.ticket('1')).toEqual(ticket);
      const other = { ...ticket, id: '3', sha256: 'cd'.repeat(32) };
      expect(await store.issueTicket(other)).toEqual(other);
      expect(await store.ticket('1')).toBeUndefined();
      const ofB = { ...ticket, id: '4', hotkey: 'b' };
      await store.issueTicket(ofB);
      await store.issueTicket({ ...ticket, id: '5', window: 2 });
      expect((await store.unusedTickets(1)).map(({ id }) => id).sort()).toEqual(['3', '4']);
      await join('a');
      await store.accept(contributionOf('a'));
      expect(await store.unusedTickets(1)).toEqual([ofB]);
      await store.closeWindow(closeOf(1, { forgetTicketsBefore: 2 }));
      expect([await store.ticket('4'), (await store.ticket('5'))?.window]).toEqual([undefined, 2]);
    });

    it('counts every refusal and keeps the verdicts of a few', async () => {
      await join('a');
      for (let i = 0; i < 4; i++) await store.refuse('a', verdictOf(1, `refusal ${i}`), 2);
      expect(await store.peer('a')).toMatchObject({ rejected: 4 });
      expect((await store.verdicts('a', 10)).map(({ reason }) => reason)).toEqual(['refusal 1', 'refusal 0']);
      await join('b');
      await store.refuse('b', verdictOf(1, 'refusal of b'), 2);
      await store.refuse('b', verdictOf(2, 'another window'), 2);
      await store.closeWindow(closeOf(1, { verdicts: [{ hotkey: 'a', verdict: verdictOf(1, 'judged') }] }));
      const refusals = await store.refusals(1, 10);
      expect(refusals.map(({ hotkey, verdict }) => `${hotkey}: ${verdict.reason}`)).toEqual([
        'a: refusal 0',
        'a: refusal 1',
        'b: refusal of b',
      ]);
      expect(await store.refusals(1, 1)).toEqual(refusals.slice(0, 1));
    });

    it('closes a window once, with everything that it changes', async () => {
      await join('a');
      for (const blocks of [null, { putOpens: 7, putCloses: 8 }]) {
        await store.setDeadlines(1, { putOpensAt: 5, putClosesAt: 6, blocks });
        expect(await store.openWindow()).toMatchObject({ putOpensAt: 5, putClosesAt: 6, blocks });
      }
      const point = { window: 1, rating: { mu: 1, sigma: 2, ordinal: 3 }, poc: 0, sync: 1, peerScore: 0, weight: 0, rank: 1, aggregated: true, lossScore: null }; // prettier-ignore
      const close = closeOf(1, {
        verdicts: [{ hotkey: 'a', verdict: verdictOf(1, 'judged') }],
        history: [{ hotkey: 'a', point }],
        peers: [{ hotkey: 'a', figures: { ...figures, poc: 0.5 }, evaluated: true, aggregated: true }],
      });
      await store.closeWindow(close);
      expect(await store.openWindow()).toEqual(windowOf(2));
      expect(await store.record(1)).toEqual(recordOf(1));
      expect(await store.record(2)).toBeUndefined();
      expect(await store.book(1)).toEqual(close.book);
      expect(await store.book(2)).toBeUndefined();
      expect(await store.summaries(0, 10)).toEqual([summaryAt(1)]);
      expect(await store.peer('a')).toMatchObject({ evaluated: 1, aggregated: 1, figures: { poc: 0.5 } });
      expect(await store.history('a', 10)).toEqual([point]);
      expect(await store.windowHistory(1)).toEqual([{ hotkey: 'a', point }]);
      expect(await store.windowHistory(2)).toEqual([]);
      await expect(store.closeWindow(close)).rejects.toThrow(/not open/);
      expect(await store.peer('a')).toMatchObject({ evaluated: 1 });
    });

    it('takes back all of a window that cannot be closed', async () => {
      await join('a');
      const bad = closeOf(1, {
        peers: [{ hotkey: 'a', figures: { ...figures, poc: 1 }, evaluated: true, aggregated: false }],
        verdicts: [{ hotkey: 'a', verdict: verdictOf(1, 'gone') }],
        next: windowOf(1),
      });
      await expect(store.closeWindow(bad)).rejects.toThrow();
      expect(await store.openWindow()).toEqual(windowOf(1));
      expect(await store.peer('a')).toMatchObject({ evaluated: 0, figures: { poc: 0 } });
      expect(await store.verdicts('a', 10)).toEqual([]);
    });

    it('names the newest checkpoint and the steps since', async () => {
      await store.closeWindow(closeOf(1));
      expect(await store.checkpoint()).toMatchObject({ checkpoint: { window: 1 }, steps: [{ window: 1, bytes: 10 }] });
      await store.closeWindow(closeOf(2, { checkpoint: { window: 3, stateRoot: HASH, chunks: [] } }));
      expect(await store.checkpoint()).toEqual({ checkpoint: { window: 3, stateRoot: HASH, chunks: [] }, steps: [] });
      expect((await store.summaries(2, 1)).map(({ window }) => window)).toEqual([2]);
    });
  });
}
