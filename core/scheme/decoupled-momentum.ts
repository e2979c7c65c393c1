/** Decoupled momentum (DeMo) with a sign step: the Gauntlet paper's scheme, put together from its parts. */
import { applySignStep } from '../lockstep/sign-step.ts';
import { decodeSignStep, encodeSignStep, type StepContext } from '../lockstep/step-codec.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { chunkGrid } from '../numerics/chunks.ts';
import type { DecoupledMomentumParameters } from '../protocol/manifest.ts';
import { aggregate } from './decoupled-momentum/aggregate.ts';
import { bodyBytes, decodeBody } from './decoupled-momentum/body.ts';
import { createMomentumContributor } from './decoupled-momentum/contributor.ts';
import { scheduledLearningRate } from './decoupled-momentum/schedule.ts';
import type { Scheme } from './scheme.ts';

/** The scheme's number in the header of a step. */
const WIRE_NUMBER = 1;

/** @throws RangeError when a parameter is neither vector nor matrix */
export function createDecoupledMomentum(parameters: DecoupledMomentumParameters, layout: ParameterLayout): Scheme {
  const grids = layout.parameters.map((spec) => chunkGrid(spec, parameters.chunk, parameters.topK));
  const { total } = layout;
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
    learningRate: (window) => scheduledLearningRate(parameters, window),
    createContributor: () => createMomentumContributor(total, grids, parameters.momentum),
    decodeBody: (body) => decodeBody(grids, body),
    outerStep: (deltas, learningRate) => aggregate(total, grids, deltas, learningRate),
    applyStep: applySignStep,
    encodeStep: (step, about) => encodeSignStep(step, contextOf(about)),
    decodeStep: (bytes, about) => decodeSignStep(bytes, contextOf(about)),
  };
}
