/**
 * Evaluators that do not do what they should: one that hangs, one whose clock is a day off, so that the store takes it for a
 * stranger, and one on a software graphics card. Windows are published all the same, and an audit finds what it should.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createValidatorApi } from '../client/api.ts';
import { placesOf } from '../validator/adapters/places.ts';
import { findSharedPlaces, placesAt, startObjectStore, startPostgres } from '../validator/adapters/testing/servers.ts';
import { writeTestRun } from '../validator/adapters/testing/test-run.ts';
import { createCrowd } from './peers.ts';
import { startGauntlet, type GauntletProcess } from './testing/gauntlet-process.ts';

/** Debian's Chromium brings a Vulkan loader and SwiftShader, which is slow, and a graphics card like another. */
const SWIFTSHADER = '/usr/lib/chromium';
const hasAdapter = ['libvulkan.so.1', 'vk_swiftshader_icd.json'].every((name) => existsSync(join(SWIFTSHADER, name)));
const GRAPHICS = {
  LD_LIBRARY_PATH: SWIFTSHADER,
  VK_ICD_FILENAMES: join(SWIFTSHADER, 'vk_swiftshader_icd.json'),
  XDG_RUNTIME_DIR: tmpdir(),
};
const DAY_MS = 86_400_000;
const LATE = `data:text/javascript,${encodeURIComponent(`
  const now = Date.now;
  Date.now = () => now() - ${DAY_MS};
  globalThis.Date = class extends Date { constructor(...given) { super(...(given.length ? given : [Date.now()])); } };
`)}`;

const NIGHTLY = process.env['NIGHTLY'] === '1';
const available = NIGHTLY && findSharedPlaces();
if (NIGHTLY && !hasAdapter) console.log('skipped in part: no graphics card, and no SwiftShader of Chromium’s');

describe.runIf(available)('evaluators', () => {
  const stops: (() => unknown)[] = [];
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it('do no harm when they hang, when their clock is wrong, and on another kind of processor', async () => {
    const [postgres, store, folder] = await Promise.all([
      startPostgres(),
      startObjectStore(),
      mkdtemp(join(tmpdir(), 'evaluators-')),
    ]);
    stops.push(() => rm(folder, { recursive: true, force: true }), () => postgres.stop(), () => store.stop()); // prettier-ignore
    const environment = { ...(await placesAt('evaluators', postgres, store)), GAUNTLET_LOG: 'info' };
    const data = join(folder, 'run');
    await writeTestRun(data, undefined, undefined, placesOf(environment));
    const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}): GauntletProcess => {
      const started = startGauntlet(args, { ...environment, ...more });
      stops.push(() => started.kill());
      return started;
    };
    const driver = start(['start', '--data', data, '--peers', '0', '--attackers', '0', '--port', '0']);
    const [, url] = await driver.said(/Open (http:\S+)/);
    const refused = start(['evaluator', '--provider', 'webgpu'], { LD_LIBRARY_PATH: '', VK_ICD_FILENAMES: '/nowhere' });
    const hung = start(['evaluator', '--lanes', '1']);
    const late = start(['evaluator', '--lanes', '1'], { NODE_OPTIONS: `--import=${LATE}` });
    const graphics = hasAdapter ? start(['evaluator', '--provider', 'webgpu'], GRAPHICS) : undefined;
    expect(await refused.exited()).toBe(2);
    expect(refused.output()).toMatch(/cannot compute on webgpu here: .*--provider cpu needs nothing\./);
    await hung.said(/1 at once, on cpu/);
    await graphics?.said(/1 at once, on webgpu/);
    // It asks the store for the run's index first.
    expect(await late.exited()).toBe(2);
    expect(late.output()).toMatch(/the clock of this machine and the store’s are too far apart/);

    const crowd = await createCrowd({ validatorUrl: url!, folder: join(folder, 'peers'), honest: 2, attackers: 0 });
    for (const { contributor } of crowd) void contributor.run();
    stops.push(() => crowd.forEach(({ contributor }) => contributor.stop()));
    const client = createValidatorApi({ baseUrl: url!, fetch });
    const published = async (): Promise<number> => (await client.windows(1, 100)).length;
    await expect.poll(published, { timeout: 120_000, interval: 250 }).toBeGreaterThanOrEqual(2);
    process.kill(hung.pid, 'SIGSTOP');
    const then = await published();
    await expect.poll(published, { timeout: 120_000, interval: 250 }).toBeGreaterThanOrEqual(then + 3);
    for (const { contributor } of crowd) contributor.stop();

    const audit = start(['audit', '--url', url!, '--window', '1', '--through', String(then + 3)]);
    expect(await audit.exited(), audit.output()).toBe(0);
    if (graphics) {
      expect(await graphics.interrupt()).toBe(0);
      expect(Number(/(\d+) measurements made/.exec(graphics.output())?.[1])).toBeGreaterThan(0);
    }
  }, 600_000);
});
