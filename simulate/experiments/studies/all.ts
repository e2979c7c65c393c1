import type { Study } from '../study.ts';
import { attackers } from './attackers.ts';
import { convergence } from './convergence.ts';
import { gallery } from './gallery.ts';
import { proofOfComputation } from './proof-of-computation.ts';
import { schemes } from './schemes.ts';
import { settling } from './settling.ts';
import { sybils } from './sybils.ts';
import { threePeers } from './three-peers.ts';

/** In the order of the report. */
export const STUDIES: readonly Study[] = [
  threePeers,
  proofOfComputation,
  convergence,
  attackers,
  sybils,
  settling,
  schemes,
  gallery,
];
