import { describe, expect, it } from 'vitest';
import { preflight, type PreflightFacts, type PreflightItem } from './preflight.ts';

const READY: PreflightFacts = {
  backend: { backend: 'webgpu', device: 'a card', software: false, reasons: [] },
  backendError: null,
  memoryBytes: 12_000_000,
  budgetBytes: 4_000_000_000,
  memoryChosen: false,
  download: { bytes: 4_000_000, heldBytes: 0 },
  pageBytes: 1_000_000,
  freeBytes: 10_000_000_000,
  persisted: true,
  speed: { tokensPerSecond: 10_000, atMs: 0, device: 'webgpu a card' },
  trainSeconds: 20,
  duty: 50,
  onBattery: false,
  online: true,
  now: 0,
};

const item = (facts: Partial<PreflightFacts>, id: PreflightItem['id']): PreflightItem | undefined =>
  preflight({ ...READY, ...facts }).find((each) => each.id === id);

describe('pre-flight', () => {
  it('has nothing against a device that is ready', () => {
    expect(preflight(READY).map(({ verdict }) => verdict)).toEqual(['good', 'good', 'good', 'good', 'good']);
    expect(item({}, 'tokens')!.text).toContain('100K');
    expect(item({}, 'download')!.text).toContain('4.0 MB once');
  });

  it.each([
    [{ backend: { ...READY.backend!, software: true } }, 'device', 'warn'],
    [{ backend: { ...READY.backend!, backend: 'wasm' } }, 'device', 'warn'],
    [{ backend: undefined, backendError: new Error('no WebGPU') }, 'device', 'bad'],
    [{ budgetBytes: 1_000_000 }, 'memory', 'bad'],
    [{ freeBytes: 5_000_000 }, 'storage', 'bad'],
    [{ onBattery: true }, 'power', 'warn'],
    [{ online: false }, 'network', 'bad'],
  ] satisfies [Partial<PreflightFacts>, PreflightItem['id'], string][])(
    'says what is wrong: %j',
    (facts, id, verdict) => {
      expect(item(facts, id)).toMatchObject({ verdict, fix: expect.any(String) as string });
    },
  );

  it('does not pretend to know', () => {
    const facts = {
      backend: undefined,
      memoryBytes: undefined,
      download: undefined,
      freeBytes: undefined,
      speed: undefined,
    };
    expect(new Set(preflight({ ...READY, ...facts }).map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
  });

  it('counts only what is not here yet', () => {
    expect(item({ download: { bytes: 4_000_000, heldBytes: 3_000_000 } }, 'download')!.text).toContain(
      '1.0 MB of 4.0 MB',
    );
    expect(item({ download: { bytes: 4_000_000, heldBytes: 4_000_000 } }, 'download')!.text).toContain('here already');
  });
});
