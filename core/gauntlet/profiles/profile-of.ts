import type { GauntletParameters } from '../../protocol/manifest.ts';
import { noProfile } from './none.ts';
import { paperProfile } from './paper.ts';
import type { GauntletProfile } from './profile.ts';
import { templarProfile } from './templar.ts';

/** The profile that a manifest's parameters are of. */
export function profileOf(params: GauntletParameters): GauntletProfile {
  switch (params.profile) {
    case 'paper':
      return paperProfile(params);
    case 'templar-2.1':
      return templarProfile(params);
    case 'none':
      return noProfile(params);
  }
}
