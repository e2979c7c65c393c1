/** A subnet of one's own on a node of nodes.ts, made by the transactions that an operator would send. */
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { ApiOptions, SubmittableExtrinsic } from '@polkadot/api/types';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import type { ChainSigner } from '../types.ts';
import type { TestNode } from './nodes.ts';

export type Pair = ReturnType<Keyring['addFromUri']>;
type Transaction = SubmittableExtrinsic<'promise'>;

export interface TestSubnet {
  readonly netuid: number;
  /** Has TAO and the sudo key, and owns every hotkey. */
  readonly coldkey: Pair;
  /** Uid 0, the owner's; with stake and a validator permit. */
  readonly validator: Pair;
  /** Uids 1 …, without stake. */
  readonly miners: readonly Pair[];
  /** The library's own view of the node, to compare with. */
  readonly api: ApiPromise;
  /** Sends a call such as `adminUtils.sudoSetTempo` as root. @throws Error with the name of the runtime's error */
  readonly root: (call: string, ...args: unknown[]) => Promise<void>;
  /** Signs and sends a call, and waits until it is final. @throws Error with the name of the runtime's error */
  readonly send: (pair: Pair, call: string, ...args: unknown[]) => Promise<void>;
  close(): Promise<void>;
}

export const pairOf = async (uri: string): Promise<Pair> => {
  await cryptoWaitReady();
  return new Keyring({ type: 'sr25519' }).addFromUri(uri);
};

export const signerOf = (pair: Pair): ChainSigner => ({ address: pair.address, account: pair, kind: 'pair' });

const finalised = (api: ApiPromise, transaction: Transaction, pair: Pair): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = ({ status, dispatchError, events, isError }: Parameters<Watch>[0]): void => {
      if (isError && !status.isInvalid && dispatchError === undefined) reject(new Error(status.type));
      if (!status.isFinalized) return;
      // A sudo call that fails is a success that says so.
      const sudid = events.find(({ event }) => event.method === 'Sudid')?.event.data[0]?.toJSON();
      const inner = (sudid as { err?: unknown } | undefined)?.err;
      if (dispatchError?.isModule === true) reject(new Error(api.registry.findMetaError(dispatchError.asModule).name));
      else if (dispatchError !== undefined) reject(new Error(dispatchError.type));
      else if (inner !== undefined) reject(new Error(JSON.stringify(inner)));
      else resolve();
    };
    transaction.signAndSend(pair, { nonce: -1, era: 0 }, settle).catch(reject);
  });
type Watch = Extract<Parameters<Transaction['signAndSend']>[2], (...args: never[]) => unknown>;

const TEMPO = 10;
const U16_MAX = 65_535;
const STAKE = 100_000_000_000n;

export const prepareSubnet = async (node: TestNode, minerCount = 3): Promise<TestSubnet> => {
  // The library's own types disagree with each other under exactOptionalPropertyTypes.
  const provider = new WsProvider(node.endpoint) as NonNullable<ApiOptions['provider']>;
  const api = await ApiPromise.create({ provider, noInitWarn: true });
  const coldkey = await pairOf('//Alice');
  const create = (name: string, args: readonly unknown[]): Transaction => {
    const [pallet, method] = name.split('.') as [string, string];
    const call = api.tx[pallet]?.[method];
    if (call === undefined) throw new Error(`this runtime has no call ${name}`);
    return call(...args);
  };
  const send = (pair: Pair, name: string, ...args: unknown[]): Promise<void> =>
    finalised(api, create(name, args), pair);
  const root = (name: string, ...args: unknown[]): Promise<void> =>
    finalised(api, create('sudo.sudo', [create(name, args)]), coldkey);

  const validator = await pairOf('//validator');
  const miners = await Promise.all(Array.from({ length: minerCount }, (_, i) => pairOf(`//miner${i + 1}`)));
  await root('adminUtils.sudoSetNetworkRateLimit', 0);
  const { registerNetwork, addStake } = api.tx.subtensorModule!;
  // Some runtimes ask for the subnet's mechanism, 1 being the one with a token of its own.
  const mechanism = registerNetwork!.meta.args.length > 1 ? [1] : [];
  await send(coldkey, 'subtensorModule.registerNetwork', validator.address, ...mechanism);
  const subnets = await api.query.subtensorModule!.networksAdded!.keys();
  const netuid = Math.max(...subnets.map(({ args }) => Number(args[0]!.toString())));
  const settings = {
    Tempo: TEMPO,
    NetworkRegistrationAllowed: true,
    WeightsSetRateLimit: 0,
    MinAllowedWeights: 1,
    MaxWeightLimit: U16_MAX,
    TargetRegistrationsPerInterval: 100,
    MaxRegistrationsPerBlock: 100,
    MaxAllowedValidators: 1,
  };
  for (const [name, value] of Object.entries(settings)) await root(`adminUtils.sudoSet${name}`, netuid, value);
  // Older runtimes give the owner's hotkey no uid of itself.
  const first = await api.query.subtensorModule!.uids!(netuid, validator.address);
  for (const { address } of [...(first.isEmpty ? [validator] : []), ...miners]) {
    await send(coldkey, 'subtensorModule.burnedRegister', netuid, address);
  }
  // Before subnets had tokens stake was in TAO, and on all of them.
  const where = addStake!.meta.args.length > 2 ? [netuid] : [];
  await send(coldkey, 'subtensorModule.addStake', validator.address, ...where, STAKE);
  // An epoch gives the permit.
  await node.newBlocks(TEMPO + 1);
  return { netuid, coldkey, validator, miners, api, root, send, close: () => api.disconnect() };
};
