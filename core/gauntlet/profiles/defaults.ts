/** Each profile with the constants of its reference. */
import { REFERENCE_GAUNTLET } from '../../model/presets.ts';
import type { GauntletParameters } from '../../protocol/manifest.ts';
import { withoutGauntlet } from './none.ts';
import { REFERENCE_TEMPLAR } from './templar.ts';

export const GAUNTLET_PROFILES: {
  readonly [Profile in GauntletParameters['profile']]: GauntletParameters & { readonly profile: Profile };
} = {
  paper: REFERENCE_GAUNTLET,
  'templar-2.1': REFERENCE_TEMPLAR,
  // What is measured without Gauntlet is measured as in the paper.
  none: withoutGauntlet(REFERENCE_GAUNTLET),
};
