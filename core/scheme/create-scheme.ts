/** The scheme that a manifest names. */
import type { ParameterLayout } from '../model/layout.ts';
import type { RunManifest } from '../protocol/manifest.ts';
import { createDecoupledMomentum } from './decoupled-momentum.ts';
import type { Scheme } from './scheme.ts';
import { createSparseLoco } from './sparseloco.ts';

/** @throws RangeError when a parameter of the layout has no chunks, or the scheme's constants cannot work */
export function createScheme(parameters: RunManifest['scheme'], layout: ParameterLayout): Scheme {
  switch (parameters.name) {
    case 'decoupled-momentum':
      return createDecoupledMomentum(parameters, layout);
    case 'sparseloco':
      return createSparseLoco(parameters, layout);
  }
}
