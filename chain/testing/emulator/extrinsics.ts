/** What a transaction pool checks of an extrinsic before it takes it: signature, era, nonce, and the pallet's own look. */
import type { GenericCall, GenericExtrinsic } from '@polkadot/types';
import type { Codec } from '@polkadot/types/types';
import { blake2AsU8a, ed25519Verify, secp256k1Verify, sr25519Verify } from '@polkadot/util-crypto';
import { nameOf } from './calls.ts';
import { poolCode } from './calls-subtensor.ts';
import { Args } from './dispatch.ts';
import { toHex } from './runtime.ts';
import type { Storage } from './storage.ts';

/** What goes back over JSON-RPC in place of a result. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: string | undefined;

  constructor(code: number, message: string, data?: string) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const invalid = (why: string): RpcError => new RpcError(1010, 'Invalid Transaction', why);

export interface SignedTransaction {
  readonly hash: string;
  readonly hex: string;
  readonly who: string;
  readonly nonce: number;
  readonly call: GenericCall;
}

interface Signature {
  readonly signer: Codec;
  readonly era: Codec & {
    isMortalEra: boolean;
    asMortalEra: { birth(block: number): number; period: { toNumber(): number } };
  };
  readonly multiSignature: Codec & { readonly type: string; readonly value: Codec };
  readonly mode: Codec;
  readonly nonce: Codec;
  readonly tip: Codec;
}

/** Payloads longer than this are hashed before they are signed. */
const MAX_PLAIN_PAYLOAD = 256;

const VERIFIERS: Readonly<Record<string, (message: Uint8Array, signature: Uint8Array, key: Uint8Array) => boolean>> = {
  Sr25519: sr25519Verify,
  Ed25519: ed25519Verify,
  Ecdsa: (message, signature, key) => secp256k1Verify(message, signature, key, 'blake2'),
};

export interface Ledger {
  readonly storage: Storage;
  readonly head: number;
  readonly genesisHash: string;
  /** Null for a block that is not there. */
  hashOf(block: number): string | null;
}

/** @throws RpcError 1010 as a node gives it, 1002 for bytes that are no signed extrinsic of this runtime */
export const checkExtrinsic = (ledger: Ledger, hex: string): SignedTransaction => {
  const { registry, version } = ledger.storage.runtime;
  let extrinsic: GenericExtrinsic;
  try {
    extrinsic = registry.createType('Extrinsic', hex);
    if (toHex(extrinsic.toU8a()) !== hex) throw new Error('trailing bytes');
  } catch (error) {
    throw new RpcError(1002, 'Verification Error', `Runtime error: ${String(error)}`);
  }
  if (!extrinsic.isSigned) throw invalid('Transaction call is not expected');
  const signature = (extrinsic.inner as unknown as { signature: Signature }).signature;
  const who = signature.signer.toString();
  const call = extrinsic.method as unknown as GenericCall;
  if (signature.mode.toU8a()[0] !== 0) throw invalid('Transaction has a bad signature');

  let checkpoint: string | null = ledger.genesisHash;
  if (signature.era.isMortalEra) {
    const era = signature.era.asMortalEra;
    const birth = era.birth(ledger.head);
    checkpoint = ledger.hashOf(birth);
    if (checkpoint === null) throw invalid('Transaction has an ancient birth block');
  }
  const { specVersion, transactionVersion } = version as { specVersion: number; transactionVersion: number };
  const payload = registry
    .createType(
      'ExtrinsicPayload',
      {
        method: call.toHex(),
        era: signature.era,
        nonce: signature.nonce,
        tip: signature.tip,
        mode: 0,
        specVersion,
        transactionVersion,
        genesisHash: ledger.genesisHash,
        blockHash: checkpoint,
        metadataHash: null,
      },
      { version: 4 },
    )
    .toU8a({ method: true });
  const message = payload.length > MAX_PLAIN_PAYLOAD ? blake2AsU8a(payload) : payload;
  const key = registry.createType('AccountId', who).toU8a();
  const { type, value } = signature.multiSignature;
  if (VERIFIERS[type]?.(message, value.toU8a(), key) !== true) throw invalid('Transaction has a bad signature');

  const nonce = Number(signature.nonce.toString());
  if (nonce < nonceOf(ledger.storage, who)) throw invalid('Transaction is outdated');
  const code = poolCode(ledger.storage, nameOf(call), who, new Args(call));
  if (code !== null) throw invalid(`Custom error: ${code}`);
  return { hash: extrinsic.hash.toHex(), hex, who, nonce, call };
};

export const nonceOf = (storage: Storage, who: string): number =>
  (storage.get('system', 'account', who).toJSON() as { nonce: number }).nonce;

export const raiseNonce = (storage: Storage, who: string): void => {
  const account = storage.get('system', 'account', who).toJSON() as { nonce: number };
  storage.set('system', 'account', [who], { ...account, nonce: account.nonce + 1 });
};
