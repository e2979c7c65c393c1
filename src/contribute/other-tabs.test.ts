import { afterEach, expect, it, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { trainerLockName } from '../../workers/trainer-lock.ts';
import { watchOtherTabs, type OtherTabs } from './other-tabs.ts';
import { INITIAL_STATE, type ContributeState } from './state.ts';

const URL = 'https://validator.example/';
const TRAINING: ContributeState = {
  ...INITIAL_STATE,
  status: { kind: 'compressing', window: 3 },
  lastLoss: 4.5,
};

let open: OtherTabs[] = [];
afterEach(() => {
  for (const tab of open) tab.close();
  open = [];
});

function tab(initial: ContributeState, lockHeld: () => boolean) {
  const store = createStore<ContributeState>(() => initial);
  const stop = vi.fn(() => Promise.resolve());
  const takeOver = vi.fn();
  const tabs = watchOtherTabs({
    validatorUrl: URL,
    controller: { store, stop, takeOver },
    describe: ({ status }) => status.kind,
    locks: {
      query: () => Promise.resolve({ held: lockHeld() ? [{ name: trainerLockName(URL) }] : [], pending: [] }),
    },
  });
  open.push(tabs);
  return { store, stop, takeOver, tabs };
}

it('a tab sees what another one trains, and takes over from it', async () => {
  const trainer = tab(TRAINING, () => true);
  const watcher = tab(INITIAL_STATE, () => true);
  await vi.waitFor(() =>
    expect(watcher.tabs.store.getState()).toEqual({
      trains: true,
      mirror: { headline: 'compressing', loss: 4.5, tokensPerSecond: null, delivered: 0 },
    }),
  );
  expect(trainer.tabs.store.getState().trains).toBe(false);
  watcher.tabs.takeOver();
  expect(watcher.takeOver).toHaveBeenCalledTimes(1);
  await vi.waitFor(() => expect(trainer.stop).toHaveBeenCalledTimes(1));
});

it('a tab that crashed holds nobody up: without its lock it is gone', async () => {
  let held = true;
  const watcher = tab(INITIAL_STATE, () => held);
  await vi.waitFor(() => expect(watcher.tabs.store.getState().trains).toBe(true));
  held = false;
  await vi.waitFor(() => expect(watcher.tabs.store.getState().trains).toBe(false), { timeout: 4_000 });
});

it('what is no message of ours is ignored', async () => {
  const watcher = tab(INITIAL_STATE, () => true);
  await vi.waitFor(() => expect(watcher.tabs.store.getState().trains).toBe(true));
  const stranger = new BroadcastChannel(trainerLockName(URL));
  stranger.postMessage({ type: 'doing', mirror: { headline: 3 } });
  stranger.postMessage('let-go');
  await new Promise((resolve) => setTimeout(resolve, 50));
  stranger.close();
  expect(watcher.stop).not.toHaveBeenCalled();
  expect(watcher.tabs.store.getState().mirror).toBeUndefined();
});
