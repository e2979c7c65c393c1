/** What must hold whatever peers do, in every profile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameterLayout } from '../model/layout.ts';
import { PRESETS, REFERENCE_DECOUPLED_MOMENTUM } from '../model/presets.ts';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import { FiguresSchema, type Figures } from '../protocol/figures.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import { createScheme } from '../scheme/create-scheme.ts';
import type { SparseDelta } from '../scheme/scheme.ts';
import { GAUNTLET_PROFILES } from './profiles/defaults.ts';
import { freshFigures, idleFigures, isActive, scoreWindow, type ScoredPeer } from './scoring.ts';
import { drawEvaluations, selectAggregation } from './selection.ts';
import { scoredPeer } from './testing/scored-peer.ts';
import { scoredVerdicts } from './verdicts.ts';

const WINDOW = 50;
const beacon = seedFrom('beacon');
const profiles = Object.entries(GAUNTLET_PROFILES) as [string, GauntletParameters][];

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const history = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 8 });
const lossScores = fc.record({
  assigned: fc.double({ min: -1, max: 1, noNaN: true }),
  random: fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(-0.5, 0, 0.5)),
});

/** Anything that a window can find of a peer whose past can have been anything. */
const anyPeer = fc.record({
  mu: fc.oneof(fc.constant(25), fc.double({ min: -20, max: 80, noNaN: true })),
  sigma: fc.double({ min: 0.5, max: 9, noNaN: true }),
  poc: fc.double({ min: -1, max: 1, noNaN: true }),
  sync: fc.option(fraction),
  gate: fraction,
  weight: fraction,
  evaluations: fc.nat(12),
  waited: fc.nat(20),
  conduct: fc.record({
    deliveries: history,
    missesInRow: fc.nat(4),
    evaluations: history,
    negativesInRow: fc.nat(4),
    naughtyUntil: fc.constantFrom(0, 0, 0, WINDOW - 1, WINDOW, WINDOW + 5),
  }),
  found: fc.oneof(
    fc.record({ delivered: fc.constant(false), drawn: fc.boolean() }),
    fc.record({
      delivered: fc.constant(true),
      passed: fc.boolean(),
      sync: fraction,
      drawn: fc.boolean(),
      lossScores,
      overlap: fc.option(fc.record({ share: fraction, with: fc.constant('other') })),
    }),
  ),
});

const toPeers = (list: readonly (typeof anyPeer extends fc.Arbitrary<infer T> ? T : never)[]): ScoredPeer[] =>
  list.map(({ mu, sigma, conduct, found, ...before }, i) => {
    const passed = 'passed' in found && found.passed;
    return scoredPeer(`p${String(i).padStart(2, '0')}`, {
      uid: i,
      before: { ...before, rating: { mu, sigma } },
      conduct,
      delivered: found.delivered,
      wellFormed: found.delivered,
      passed,
      sync: 'sync' in found ? found.sync : null,
      drawn: found.drawn,
      lossScores: 'lossScores' in found && found.drawn && passed ? found.lossScores : null,
      overlap: 'overlap' in found && passed ? found.overlap : null,
    });
  });

const peers = fc.array(anyPeer, { minLength: 1, maxLength: 12 }).map(toPeers);

describe.each(profiles)('profile %s', (_name, params) => {
  const withAfter = (list: readonly ScoredPeer[]) => {
    const figures = scoreWindow(WINDOW, list, params);
    return list.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
  };

  it('gives weights that are never negative and sum to what is not burnt, or to nothing', () => {
    const share = params.profile === 'templar-2.1' ? 1 - params.weights.burnShare : 1;
    fc.assert(
      fc.property(peers, (list) => {
        const weights = [...scoreWindow(WINDOW, list, params).values()].map(({ weight }) => weight);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(Math.min(Math.abs(total - share), Math.abs(total))).toBeLessThan(1e-12);
      }),
    );
  });

  it('gives figures of the published form, with μ, gate and ranks in their ranges', () => {
    fc.assert(
      fc.property(peers, (list) => {
        const figures = [...scoreWindow(WINDOW, list, params).values()];
        for (const one of figures) {
          expect(FiguresSchema.parse(one)).toEqual(one);
          expect(Math.abs(one.poc)).toBeLessThanOrEqual(1);
          expect(one.gate).toBeGreaterThanOrEqual(0);
          expect(one.gate).toBeLessThanOrEqual(1);
        }
        expect(figures.map(({ rank }) => rank)).toEqual(list.map((_, i) => i + 1));
      }),
    );
  });

  it('permutes with the peers, bit for bit', () => {
    fc.assert(
      fc.property(peers, fc.nat(), (list, seed) => {
        const shuffled = createRandom(seedFrom(seed)).shuffle(list);
        const [scored, moved] = [withAfter(list), withAfter(shuffled)];
        const byHotkey = new Map(moved.map(({ hotkey, after }) => [hotkey, after]));
        for (const { hotkey, after } of scored) expect(byHotkey.get(hotkey)).toEqual(after);
        expect(drawEvaluations(WINDOW, shuffled, params, beacon)).toEqual(
          drawEvaluations(WINDOW, list, params, beacon),
        );
        expect(selectAggregation(WINDOW, moved, params, beacon)).toEqual(
          selectAggregation(WINDOW, scored, params, beacon),
        );
        const verdicts = scoredVerdicts(WINDOW, moved, params);
        scoredVerdicts(WINDOW, scored, params).forEach((own, i) => {
          expect(verdicts[shuffled.indexOf(list[i]!)]).toEqual(own);
        });
      }),
    );
  });

  it('never pays a failed check: with it the score is no greater, unless it was negative anyway', () => {
    fc.assert(
      fc.property(peers, (list) => {
        const [first, ...others] = list as [ScoredPeer, ...ScoredPeer[]];
        const good = { ...first, delivered: true, wellFormed: true, passed: true, sync: 1, drawn: false };
        const clean: ScoredPeer = { ...good, lossScores: null, overlap: null };
        const scoreOf = (peer: ScoredPeer): number =>
          scoreWindow(WINDOW, [peer, ...others], params).get(peer.hotkey)!.peerScore;
        const failed = scoreOf({ ...clean, passed: false });
        expect(Math.max(0, failed)).toBeLessThanOrEqual(Math.max(0, scoreOf(clean)));
      }),
    );
  });
});

describe('a life of many windows', () => {
  it.each(profiles)('keeps figures bounded and in form in profile %s', (_name, params) => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }), (deeds) => {
        let figures: Figures = freshFigures(params);
        for (const [i, deed] of deeds.entries()) {
          const window = i + 1;
          const delivered = deed > 0;
          if (!delivered && !isActive(figures, window, params)) {
            figures = idleFigures(figures, window, params) ?? figures;
          } else {
            const harm = deed === 1 ? -1 : 1;
            const peer: ScoredPeer = {
              ...scoredPeer('p'),
              before: figures,
              delivered,
              wellFormed: delivered,
              passed: delivered,
              sync: delivered ? 1 : null,
              drawn: deed < 3,
              lossScores: delivered && deed < 3 ? { assigned: harm + 1, random: harm } : null,
            };
            figures = scoreWindow(window, [peer], params).get('p')!;
          }
          expect(FiguresSchema.parse(figures)).toEqual(figures);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('a rescaled contribution', () => {
  const layout = parameterLayout({ ...PRESETS.micro.model, numLayers: 1, vocabSize: 64 });
  const scheme = createScheme({ ...REFERENCE_DECOUPLED_MOMENTUM, chunk: 16, topK: 8 }, layout);
  const deltas = ['a', 'b', 'c'].map((name) => {
    const random = createRandom(seedFrom(name));
    const gradient = Float32Array.from({ length: layout.total }, () => random.uniform() - 0.5);
    return scheme.decodeBody(scheme.createContributor().compress(gradient, 1e-3));
  });
  const scaled = ({ tensors, body }: SparseDelta, factor: number): SparseDelta => ({
    body,
    tensors: tensors.map(({ indices, values }) => ({ indices, values: values.map((value) => value * factor) })),
  });
  const stepOf = (messages: readonly SparseDelta[]): Uint8Array =>
    scheme.encodeStep(scheme.outerStep(messages, 1e-3), { run: '00'.repeat(16), window: 1 });

  // Powers of two, whose products are exact: other factors may round a sum of exactly nothing to either side.
  it('changes not a bit of the sign step that it is folded into', () => {
    const step = stepOf(deltas);
    fc.assert(
      fc.property(fc.nat(2), fc.integer({ min: -20, max: 20 }), (which, exponent) => {
        const larger = deltas.map((delta, i) => (i === which ? scaled(delta, 2 ** exponent) : delta));
        expect(stepOf(larger)).toEqual(step);
      }),
      { numRuns: 10 },
    );
    expect(stepOf([deltas[0]!, deltas[1]!, scaled(deltas[2]!, -1)])).not.toEqual(step);
  });
});
