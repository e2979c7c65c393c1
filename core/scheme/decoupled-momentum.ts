/** Decoupled momentum (DeMo) with a sign step: the Gauntlet paper's scheme, put together from its parts. */
import type { SignStep } from '../lockstep/sign-step.ts';
import { decodeSignStep, encodeSignStep, signStepBytes, type StepContext } from '../lockstep/step-codec.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { chunkGrid } from '../numerics/chunks.ts';
import type { DecoupledMomentumParameters } from '../protocol/manifest.ts';
import { aggregate } from './decoupled-momentum/aggregate.ts';
import { bodyBytes, decodeBody } from './decoupled-momentum/body.ts';
import { createMomentumContributor } from './decoupled-momentum/contributor.ts';
import { scheduledLearningRate } from './schedule.ts';
import type { Scheme, SparseDelta } from './scheme.ts';

/** The scheme's number in the header of a step. */
const WIRE_NUMBER = 1;

export interface DecoupledMomentum extends Scheme {
  outerStep(deltas: readonly SparseDelta[], learningRate: number): SignStep;
  decodeStep(bytes: Uint8Array, about: { run: string; window: number }): SignStep;
}

/** @throws RangeError when a parameter is neither vector nor matrix */
export function createDecoupledMomentum(
  parameters: DecoupledMomentumParameters,
  layout: ParameterLayout,
): DecoupledMomentum {
  const grids = layout.parameters.map((spec) => chunkGrid(spec, parameters.chunk, parameters.topK));
  const { total } = layout;
  const learningRate = (window: number): number => scheduledLearningRate(parameters, window);
  const contextOf = (about: { run: string; window: number }): StepContext => ({
    run: about.run,
    window: about.window,
    scheme: WIRE_NUMBER,
    total,
    grids,
  });
  return {
    name: parameters.name,
    parameters,
    layout,
    bodyBytes: bodyBytes(grids),
    stepBytes: () => signStepBytes({ total, grids }),
    localSteps: null,
    learningRate,
    syncUnit: learningRate,
    createContributor: () => createMomentumContributor(total, grids, parameters.momentum),
    decodeBody: (body) => decodeBody(grids, body),
    medianNorms: () => null,
    outerStep: (deltas, rate) => aggregate(total, grids, deltas, rate),
    encodeStep(step, about) {
      if (step.kind !== 'sign') throw new RangeError('a sign step is wanted');
      return encodeSignStep(step, contextOf(about));
    },
    decodeStep: (bytes, about) => decodeSignStep(bytes, contextOf(about)),
  };
}
