import { describe, expect, it, vi } from 'vitest';
import type { ClockState, PeerState, WindowSummary } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { windowSummary } from '../../core/protocol/testing/window-summary.ts';
import { widgetParameters, widgetUrl } from './parameters.ts';
import { NOTHING_YET, refresh } from './source.ts';

const HOTKEY = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';

const published = (window: number): WindowSummary => windowSummary(window, { stateRoot: 'ab'.repeat(32) });

function validator() {
  let clock = { run: 'r', window: 2, phase: 'train', serverTime: new Date(61_000).toISOString() } as ClockState;
  let rows = [published(1), windowSummary(2)];
  const api = {
    clock: vi.fn(() => Promise.resolve(clock)),
    run: vi.fn(() => Promise.resolve({ manifest: { name: 'a run', preset: 'nano' } } as SignedManifest)),
    windows: vi.fn((from: number) => Promise.resolve(rows.filter(({ window }) => window >= from))),
    peer: vi.fn(() => Promise.resolve({ rank: 4 } as PeerState)),
  };
  const become = (change: Partial<ClockState>, next = rows): void => {
    clock = { ...clock, ...change };
    rows = next;
  };
  return { api, become };
}

const now = (): number => 1_000;

describe('the widget’s figures', () => {
  it('are asked for when the clock says that there is something new, and only what is new', async () => {
    const { api, become } = validator();
    const first = await refresh(api, NOTHING_YET, HOTKEY, now);
    expect(first).toMatchObject({ manifest: { name: 'a run' }, offsetMs: 60_000, peer: { rank: 4 }, reachable: true });
    expect(first.windows).toHaveLength(2);
    const same = await refresh(api, first, HOTKEY, now);
    expect([api.clock, api.run, api.windows, api.peer].map(({ mock }) => mock.calls.length)).toEqual([2, 1, 1, 1]);
    become({ window: 3 }, [published(1), published(2), windowSummary(3)]);
    const next = await refresh(api, same, HOTKEY, now);
    expect(api.windows).toHaveBeenLastCalledWith(2, 200);
    expect(next.windows.map(({ window, stateRoot }) => [window, stateRoot !== null])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
  });

  it('stay as they were while nobody answers, and are forgotten with another run', async () => {
    const { api, become } = validator();
    const first = await refresh(api, NOTHING_YET, undefined, now);
    api.clock.mockRejectedValueOnce(new Error('gone'));
    expect(await refresh(api, first, undefined, now)).toEqual({ ...first, reachable: false });
    become({ run: 'another', window: 1 }, [windowSummary(1)]);
    expect((await refresh(api, first, undefined, now)).windows).toHaveLength(1);
    expect(api.run).toHaveBeenCalledTimes(2);
    expect(api.peer).not.toHaveBeenCalled();
  });
});

describe('the widget’s address', () => {
  it('is read, and what makes no sense in it left out', () => {
    expect(
      widgetParameters(`https://a.example/embed.html?validator=https://v.example/&theme=dark&peer=${HOTKEY}&lang=de`),
    ).toEqual({ validatorUrl: 'https://v.example/', theme: 'dark', peer: HOTKEY, language: 'de' });
    expect(
      widgetParameters('https://a.example/embed.html?validator=javascript:1&theme=pink&peer=<script>&lang=xx'),
    ).toEqual({ validatorUrl: 'https://a.example/', theme: 'auto', peer: undefined, language: undefined });
  });

  it('is written as it is read', () => {
    const wanted = { validatorUrl: 'https://v.example/', theme: 'light' as const, peer: HOTKEY };
    const url = widgetUrl('https://a.example/app/index.html?x=1#/settings', wanted);
    expect(url).toMatch(/^https:\/\/a\.example\/app\/embed\.html\?/);
    expect(widgetParameters(url)).toEqual({ ...wanted, language: undefined });
    expect(widgetUrl('https://v.example/', { ...wanted, theme: 'auto', peer: undefined })).toBe(
      'https://v.example/embed.html',
    );
  });
});
