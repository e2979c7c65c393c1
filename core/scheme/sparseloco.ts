/** SparseLoCo: local AdamW steps and the mean of sparse pseudo-gradients, put together from its parts. */
import type { SparseStep } from '../lockstep/sparse-step.ts';
import { notAStep, type StepAbout } from '../lockstep/step-header.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { chunkGrid } from '../numerics/chunks.ts';
import type { SparseLocoParameters } from '../protocol/manifest.ts';
import { ProblemError } from '../protocol/problem.ts';
import { scheduledLearningRate } from './schedule.ts';
import type { Scheme, SparseDelta } from './scheme.ts';
import { aggregate, medianNorms } from './sparseloco/aggregate.ts';
import { bodyLayout, decodeBody } from './sparseloco/body.ts';
import { createLocalContributor } from './sparseloco/contributor.ts';
import { decodeSparseStep, encodeSparseStep, sparseStepBytes } from './sparseloco/step-codec.ts';

/** The scheme's number in the header of a step. */
const WIRE_NUMBER = 2;

export interface SparseLoco extends Scheme {
  medianNorms(deltas: readonly SparseDelta[]): readonly number[];
  outerStep(deltas: readonly SparseDelta[], learningRate: number, clipNorms?: readonly number[] | null): SparseStep;
  decodeStep(bytes: Uint8Array, about: { run: string; window: number }): SparseStep;
}

/** @throws RangeError when a parameter is neither vector nor matrix, or AdamW would divide by zero */
export function createSparseLoco(parameters: SparseLocoParameters, layout: ParameterLayout): SparseLoco {
  const { inner, levels, mean, outerLearningRate } = parameters;
  if (inner.beta1 === 1 || inner.beta2 === 1) throw new RangeError('AdamW’s betas must be below 1');
  const grids = layout.parameters.map((spec) => chunkGrid(spec, parameters.chunk, parameters.topK));
  const { total } = layout;
  const { bytes: bodyBytes } = bodyLayout(grids, levels);
  const alpha = Math.fround(outerLearningRate);
  const innerLearningRate = (window: number): number => scheduledLearningRate(inner, window);
  const aboutStep = (about: { run: string; window: number }): StepAbout => ({ ...about, scheme: WIRE_NUMBER, total });
  const step = (deltas: readonly SparseDelta[], learningRate: number, clipNorms: readonly number[] | null) =>
    aggregate(deltas, { total, grids, mean, learningRate, clipNorms });

  return {
    name: parameters.name,
    parameters,
    layout,
    bodyBytes,
    stepBytes: (contributions) => sparseStepBytes(contributions, bodyBytes),
    localSteps: { pagesPerStep: inner.pagesPerStep },
    learningRate: () => alpha,
    // AdamW moves a parameter by at most about its learning rate.
    syncUnit: innerLearningRate,
    createContributor: () => createLocalContributor(total, grids, parameters, innerLearningRate),
    decodeBody: (body) => decodeBody(grids, levels, body),
    medianNorms,
    outerStep: (deltas, learningRate, clipNorms = null) => step(deltas, learningRate, clipNorms),
    encodeStep(sparse, about) {
      if (sparse.kind !== 'sparse') throw new RangeError('a sparse step is wanted');
      return encodeSparseStep(sparse, bodyBytes, aboutStep(about));
    },
    decodeStep(bytes, about) {
      const { learningRate, bodies } = decodeSparseStep(bytes, bodyBytes, aboutStep(about));
      return step(bodies.map(decodeStepBody), learningRate, null);
    },
  };

  function decodeStepBody(body: Uint8Array): SparseDelta {
    try {
      return decodeBody(grids, levels, body);
    } catch (cause) {
      throw cause instanceof ProblemError ? notAStep('one of its contributions is malformed', { cause }) : cause;
    }
  }
}
