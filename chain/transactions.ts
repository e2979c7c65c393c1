/** Signs a call, sends it and waits until a block with it is final. */
import type { ApiPromise } from '@polkadot/api';
import type { SignerOptions, SubmittableExtrinsic } from '@polkadot/api/types';
import type { ISubmittableResult } from '@polkadot/types/types';
import { ChainError } from './errors.ts';
import { refusalOfModule, refusalOfSending } from './refusals.ts';
import type { ChainSigner, Inclusion } from './types.ts';

type Call = SubmittableExtrinsic<'promise'>;
type AddressOrPair = Parameters<Call['signAsync']>[0];

/** @throws ChainError `unsupported` when the runtime has no such call */
export function callOf(api: ApiPromise, pallet: string, method: string, ...args: unknown[]): Call {
  const call = api.tx[pallet]?.[method];
  if (!call) {
    throw new ChainError(
      'unsupported',
      `This chain’s runtime has no call ${pallet}.${method}.`,
      'Its runtime is another than this app was made for: update the app.',
    );
  }
  return call(...args);
}

export const hasCall = (api: ApiPromise, pallet: string, method: string): boolean =>
  api.tx[pallet]?.[method] !== undefined;

function refusalOf(api: ApiPromise, { dispatchError, status }: ISubmittableResult): ChainError | undefined {
  if (dispatchError?.isModule === true) {
    const { section, name, docs } = api.registry.findMetaError(dispatchError.asModule);
    return refusalOfModule({ section, name, docs });
  }
  if (dispatchError) {
    return refusalOfModule({ section: 'runtime', name: dispatchError.type, docs: [] });
  }
  if (status.isInvalid || status.isDropped || status.isUsurped || status.isFinalityTimeout || status.isRetracted) {
    if (status.isRetracted) return undefined;
    return new ChainError('refused', `The chain let the transaction go (${status.type}).`, 'Try again.');
  }
  return undefined;
}

/**
 * Resolves when it is final. What was sent and is not heard of again may still come in: look before sending it anew.
 *
 * @throws ChainError `refused`, `not-signed`, `unreachable`
 */
export async function submit(api: ApiPromise, call: Call, { account, address, kind }: ChainSigner): Promise<Inclusion> {
  const options: Partial<SignerOptions> = { nonce: -1 };
  if (kind === 'injected') {
    options.signer = account as NonNullable<SignerOptions['signer']>;
    options.withSignedTransaction = true;
  }
  let unsubscribe: (() => void) | undefined;
  try {
    const { hash, blockHash } = await new Promise<{ hash: string; blockHash: string }>((resolve, reject) => {
      const onResult = (result: ISubmittableResult): void => {
        const refusal = refusalOf(api, result);
        if (refusal) reject(refusal);
        else if (result.status.isFinalized) {
          resolve({ hash: result.txHash.toHex(), blockHash: result.status.asFinalized.toHex() });
        }
      };
      const who = kind === 'pair' ? (account as AddressOrPair) : address;
      call.signAndSend(who, options, onResult).then(
        (stop) => (unsubscribe = stop),
        (error: unknown) => reject(refusalOfSending(error)),
      );
    });
    const { number } = await api.rpc.chain.getHeader(blockHash);
    return { block: { number: number.toNumber(), hash: blockHash }, extrinsicHash: hash };
  } finally {
    unsubscribe?.();
  }
}
