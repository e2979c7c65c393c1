/**
 * Where on the Rewards screen somebody is, as it stands in the address bar: `/rewards/<uids and addresses>`, and for
 * another subnet than the run's own `/rewards/<uids and addresses>/<preset or endpoint>/<netuid>`.
 */
import { NETWORKS } from '../../chain/networks.ts';
import { ChainEndpointSchema } from '../../core/protocol/manifest.ts';
import { decodeAddress } from '../../core/identity/ss58.ts';

export type Subject =
  | { readonly kind: 'uid'; readonly uid: number }
  /** A hotkey, unless the chain knows it as a coldkey only. */
  | { readonly kind: 'address'; readonly address: string };

/** A subnet that is not the run's. */
export interface SubnetPlace {
  /** The name of a preset, or an endpoint. */
  readonly network: string;
  readonly netuid: number;
}

export interface Place {
  /** Uids and addresses as text, each once, at most so many as fit beside each other. */
  readonly subjects: readonly string[];
  readonly subnet: SubnetPlace | undefined;
}

export const MAX_SUBJECTS = 8;
const MAX_U16 = 65_535;
const ROOT = '/rewards';
/** Stands where there are no subjects but a subnet. */
const NOBODY = '-';

/** @returns undefined for what is neither a uid nor an address */
export function parseSubject(text: string): Subject | undefined {
  if (/^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= MAX_U16) return { kind: 'uid', uid: Number(text) };
  try {
    decodeAddress(text);
    return { kind: 'address', address: text };
  } catch {
    return undefined;
  }
}

export function isEndpoint(text: string): boolean {
  return ChainEndpointSchema.safeParse(text).success && URL.canParse(text);
}

function parseSubnet(network: string | undefined, netuid: string | undefined): SubnetPlace | undefined {
  if (network === undefined || netuid === undefined || !/^\d{1,5}$/.test(netuid) || Number(netuid) > MAX_U16) {
    return undefined;
  }
  if (!Object.hasOwn(NETWORKS, network) && !isEndpoint(network)) return undefined;
  return { network, netuid: Number(netuid) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a link says; what of it makes no sense is left out. */
export function parsePlace(location: string): Place {
  const [subjects = '', network, netuid] = location
    .slice(ROOT.length + 1)
    .split('/')
    .map(decode);
  const known = subjects.split(',').filter((text) => parseSubject(text) !== undefined);
  return { subjects: [...new Set(known)].slice(0, MAX_SUBJECTS), subnet: parseSubnet(network, netuid) };
}

export function formatPlace({ subjects, subnet }: Place): string {
  const who = subjects.join(',');
  if (subnet) return `${ROOT}/${who || NOBODY}/${encodeURIComponent(subnet.network)}/${subnet.netuid}`;
  return who === '' ? ROOT : `${ROOT}/${who}`;
}
