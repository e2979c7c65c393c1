/** A swarm of guests, and what it gets. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { drawEvaluations } from '../../core/gauntlet/selection.ts';
import { memorySigner } from '../../core/identity/signing.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { createTestRun, FakeClock, joinRequest, openTestRun, testPeer, type OpenTestRun } from '../adapters/testing/test-run.ts'; // prettier-ignore
import { boundsOf, crowdedBy, DEFAULT_GUEST_LIMITS, originOf } from './guests.ts';
import type { PeerRow } from './store.ts';

const GUESTS = { perAddress: 4, newcomers: 12, share: 0.5 };
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => testPeer(`${prefix} ${i}`));

let dir: string;
let run: OpenTestRun;
let clock: FakeClock;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'guests-'));
  clock = new FakeClock();
  await createTestRun(dir);
}, 60_000);
afterEach(async () => {
  await run.close();
  await rm(dir, { recursive: true });
});

const open = async (options: Parameters<typeof openTestRun>[4]): Promise<void> => {
  run = await openTestRun(dir, clock, undefined, undefined, options);
};
const enter = async (peer: ReturnType<typeof testPeer>, address?: string): Promise<boolean> => {
  const request = await joinRequest(run.rounds.clock().run, peer);
  return run.rounds.join(request, address).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ key: 'too-many-requests' });
      return false;
    },
  );
};
const count = (entered: readonly boolean[]): number => entered.filter(Boolean).length;

describe('guests', () => {
  it('of one address are so many at a time, however many come at once; those of others come in', async () => {
    await open({ maxPeers: 50, guests: GUESTS });
    const swarm = names('swarm', 40);
    expect(count(await Promise.all(swarm.map((peer) => enter(peer, '192.0.2.1'))))).toBe(4);
    expect(await enter(testPeer('honest'), '192.0.2.2')).toBe(true);
    // Who is in comes back (a reloaded tab), from wherever it is now.
    expect(count(await Promise.all(swarm.slice(0, 4).map((peer) => enter(peer, '192.0.2.2'))))).toBe(4);
    expect(await enter(swarm[5]!, '192.0.2.1')).toBe(false);
    // Processes of the validator's own machine are the operator's.
    expect(count(await Promise.all(names('local', 7).map((peer) => enter(peer))))).toBe(7);
  });

  it('make room for others of their address when they have been away', async () => {
    await open({ maxPeers: 50, guests: GUESTS });
    await Promise.all(names('swarm', 4).map((peer) => enter(peer, '192.0.2.1')));
    for (let window = 1; window <= 4; window++) await run.rounds.closeWindow();
    expect(await enter(testPeer('late'), '192.0.2.1')).toBe(false);
    await run.rounds.closeWindow();
    expect(await enter(testPeer('late'), '192.0.2.1')).toBe(true);
  });

  it('are so many a window, wherever they come from', async () => {
    await open({ maxPeers: 50, guests: GUESTS });
    const crowd = names('crowd', 20);
    expect(count(await Promise.all(crowd.map((peer, i) => enter(peer, `192.0.2.${i}`))))).toBe(12);
    await run.rounds.closeWindow();
    expect(await enter(crowd[19]!, '192.0.2.19')).toBe(true);
  });

  it('leave no trace of where they are: the hash is of this validator alone', async () => {
    await open({ maxPeers: 50, guests: GUESTS });
    await enter(testPeer('a'), '192.0.2.1');
    await enter(testPeer('b'), '192.0.2.1');
    await enter(testPeer('c'), '192.0.2.2');
    await enter(testPeer('d'));
    const origins = (await run.folder.store.peers()).map(({ origin }) => origin);
    expect(origins[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(origins).toEqual([origins[0], origins[0], expect.not.stringMatching(origins[0]!), null]);
    const other = memorySigner(createHash('sha256').update('another validator').digest());
    expect(await originOf(other, '192.0.2.1')).not.toBe(origins[0]);
    const peer = await run.rounds.peer(testPeer('a').hotkey);
    expect(JSON.stringify(peer)).not.toContain(origins[0]);
  });

  it('200 of one address push no honest peer out, and do not take over the draw of evaluations', async () => {
    await open({ maxPeers: 100, guests: DEFAULT_GUEST_LIMITS });
    const honest = names('honest', 20);
    const halves = [honest.slice(0, 10), honest.slice(10)];
    const atHome = (peer: (typeof honest)[number]) => enter(peer, `198.51.100.${honest.indexOf(peer)}`);
    expect(count(await Promise.all(halves[0]!.map(atHome)))).toBe(10);
    const swarm = names('swarm', 200);
    expect(count(await Promise.all(swarm.map((peer) => enter(peer, '192.0.2.1'))))).toBe(40);
    expect(count(await Promise.all(halves[1]!.map(atHome)))).toBe(10);
    const peers = await run.folder.store.peers();
    expect(peers.map(({ hotkey }) => hotkey)).toEqual(expect.arrayContaining(honest.map(({ hotkey }) => hotkey)));

    // All of them deliver in every window, and are drawn as the judge draws them.
    const { gauntlet } = run.rounds.context.manifest;
    const isHonest = new Set(honest.map(({ hotkey }) => hotkey));
    const waited = new Map(peers.map(({ hotkey }) => [hotkey, 0]));
    const draws = new Map<string, number>();
    const WINDOWS = 400;
    for (let window = 1; window <= WINDOWS; window++) {
      const candidates = peers.map(({ hotkey }) => ({
        hotkey,
        before: { ...freshFigures(gauntlet), waited: waited.get(hotkey)! },
      }));
      const beacon = createHash('sha256').update(`window ${window}`).digest();
      const drawn = new Set(drawEvaluations(window, candidates, gauntlet, beacon));
      for (const { hotkey } of peers) waited.set(hotkey, drawn.has(hotkey) ? 0 : waited.get(hotkey)! + 1);
      for (const hotkey of drawn) draws.set(hotkey, (draws.get(hotkey) ?? 0) + 1);
    }
    const all = WINDOWS * gauntlet.evaluationsPerWindow;
    const ofHonest = [...isHonest].reduce((sum, hotkey) => sum + draws.get(hotkey)!, 0);
    // A third of the peers gets a third of the evaluations, and each of them its part: with all 200 it were a tenth.
    expect(ofHonest / all).toBeGreaterThan(0.3);
    for (const hotkey of isHonest) expect(draws.get(hotkey)! / (all / 60)).toBeGreaterThan(0.7);
  });
});

describe('in a run with a chain', () => {
  const manifest = (gauntlet: RunManifest['gauntlet']): Pick<RunManifest, 'gauntlet' | 'chain'> => ({
    gauntlet,
    chain: {
      genesisHash: `0x${'0'.repeat(64)}`,
      endpoints: [],
      netuid: 1,
      trainBlocks: 1,
      putBlocks: 1,
      blockSeconds: 1,
    },
  });

  it('guests have their share of the places, and the rest is for the registered', async () => {
    await open({ maxPeers: 50 });
    await enter(testPeer('guest'));
    const [row] = await run.folder.store.peers();
    const { gauntlet } = run.rounds.context.manifest;
    const rows = (guests: number, registered: number): PeerRow[] => [
      ...Array.from({ length: guests }, () => row!),
      ...Array.from({ length: registered }, () => ({ ...row!, guest: false })),
    ];
    const crowded = (peers: PeerRow[], of: Pick<RunManifest, 'gauntlet' | 'chain'>): string | undefined =>
      crowdedBy(peers, boundsOf(null, of, { window: 2, maxPeers: 10, limits: GUESTS }));
    expect(crowded(rows(4, 5), manifest(gauntlet))).toBeUndefined();
    expect(crowded(rows(5, 0), manifest(gauntlet))).toBe('places');
    expect(crowded(rows(9, 0), { gauntlet })).toBeUndefined();
  });
});
