import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { Keyring } from '@polkadot/api';
import { cryptoWaitReady, signatureVerify } from '@polkadot/util-crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { delegationText } from '../../core/identity/delegation.ts';
import type { WalletJoin } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { UnreachableError } from '../../client/http.ts';
import type { WalletRecord } from '../../workers/shared/database.ts';
import { createKey } from '../../workers/shared/stored-key.ts';
import { createFlow, type Flow, type FlowOptions, type Step } from './flow.ts';

const RUN = 'a'.repeat(64);
const NOW = Date.UTC(2026, 0, 1);

let keyring: Keyring;
let alice: string;
let tell: (accounts: unknown) => void;
let saved: WalletRecord[];
let joined: WalletJoin[];
let close: () => void;
let signRaw: (request: { address: string; data: string }) => Promise<{ signature: string }>;

beforeAll(async () => {
  await cryptoWaitReady();
  keyring = new Keyring({ type: 'sr25519', ss58Format: 0 });
  // The wallet writes addresses as on Polkadot.
  alice = keyring.addFromUri('//Alice').address;
});

beforeEach(() => {
  saved = [];
  joined = [];
  signRaw = ({ address, data }) => {
    const text = Buffer.from(data.slice(2), 'hex').toString();
    return Promise.resolve({
      signature: `0x${bytesToHex(keyring.getPair(address).sign(utf8ToBytes(`<Bytes>${text}</Bytes>`)))}`,
    });
  };
});

afterEach(() => close());

function start(options: Partial<FlowOptions> = {}): Flow {
  const accounts = {
    get: () => Promise.resolve([{ address: alice, name: 'Alice', type: 'sr25519' }]),
    subscribe: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  };
  const signer = { signRaw: (request: { address: string; data: string }) => signRaw(request) };
  const flow = createFlow({
    run: RUN,
    serverNow: () => NOW,
    createKey: () => createKey(),
    heldRecord: (hotkey) => Promise.resolve(saved.findLast((record) => record.hotkey === hotkey)),
    join: (request) => Promise.resolve(joined.push(request)),
    save: (record) => Promise.resolve(void saved.push(record)),
    page: { injectedWeb3: { test: { version: '1', enable: () => Promise.resolve({ accounts, signer }) } } },
    origin: 'Gauntlet',
    ...options,
  });
  close = flow.open();
  return flow;
}

function stepOf<K extends Step['kind']>(flow: Flow, kind: K): Extract<Step, { kind: K }> {
  const { step } = flow.store.getState();
  expect(step.kind).toBe(kind);
  return step as Extract<Step, { kind: K }>;
}

async function toReview(flow: Flow): Promise<Extract<Step, { kind: 'review' }>> {
  await flow.choose(flow.store.getState().wallets[0]!);
  await flow.pickAccount(flow.store.getState().accounts[0]!);
  return stepOf(flow, 'review');
}

describe('the flow', () => {
  it('signs the very text that was shown, with addresses of prefix 42, and stores what the validator took', async () => {
    const flow = start();
    await toReview(flow);
    flow.setDays(7);
    const { delegation } = stepOf(flow, 'review');
    await flow.sign();
    const { record } = stepOf(flow, 'connected');
    expect(saved).toEqual([record]);
    expect(joined).toEqual([record.request]);
    expect(record.request.delegation).toEqual(delegation);
    expect(record.hotkey).toBe('5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY');
    expect(Date.parse(delegation.expiresAt) - Date.parse(delegation.issuedAt)).toBe(7 * 86_400_000);
    const { proof, signer } = record.request;
    const wrapped = `<Bytes>${delegationText(delegation)}</Bytes>`;
    expect(signatureVerify(wrapped, `0x${proof.signature}`, signer).isValid).toBe(true);
  });

  it('renews with the wallet, account and session key that there were', async () => {
    const first = start();
    await toReview(first);
    await first.sign();
    close();
    const [renew] = saved as [WalletRecord];
    const flow = start({ renew, serverNow: () => NOW + 86_400_000 });
    await vi.waitFor(() => stepOf(flow, 'review'));
    await flow.sign();
    const { record } = stepOf(flow, 'connected');
    expect(record.publicKey).toEqual(renew.publicKey);
    expect(record.request.delegation.sessionKey).toBe(renew.request.delegation.sessionKey);
    expect(record.request.delegation.issuedAt > renew.request.delegation.issuedAt).toBe(true);
  });

  it('stores nothing that the person or the validator refused, and can be tried again', async () => {
    const refusal = new ProblemError('not-registered', 'The hotkey is not registered.');
    const join = vi.fn<FlowOptions['join']>(() => Promise.reject(refusal));
    const flow = start({ join });
    await toReview(flow);
    const honest = signRaw;
    signRaw = () => Promise.reject(new Error('Cancelled'));
    await flow.sign();
    expect(flow.store.getState().failure?.message).toBe('test said no: Cancelled');
    signRaw = honest;
    await flow.sign();
    expect(flow.store.getState().failure).toMatchObject({
      message: 'The hotkey is not registered.',
      remedy: expect.stringContaining('Register the hotkey') as string,
    });
    stepOf(flow, 'review');
    expect(saved).toEqual([]);
    join.mockRejectedValue(new UnreachableError('cannot be reached'));
    await flow.sign();
    expect(stepOf(flow, 'connected').unconfirmed).toBe('cannot be reached');
    expect(saved).toHaveLength(1);
  });

  it('goes back to the accounts when the wallet takes the chosen one away', async () => {
    const flow = start();
    await toReview(flow);
    tell([]);
    stepOf(flow, 'accounts');
    expect(flow.store.getState()).toMatchObject({
      accounts: [],
      failure: { message: expect.stringContaining('Alice') as string },
    });
  });

  it('lets go of a signature that nobody waits for any more', async () => {
    const flow = start();
    await toReview(flow);
    let answer = (_signed: { signature: string }): void => undefined;
    signRaw = () => new Promise((resolve) => (answer = resolve));
    const signing = flow.sign();
    stepOf(flow, 'signing');
    flow.back();
    answer({ signature: `0x${'00'.repeat(64)}` });
    await signing;
    stepOf(flow, 'review');
    expect(saved).toEqual([]);
  });

  it('says what an account on a hardware device cannot do', async () => {
    const flow = start();
    await toReview(flow);
    signRaw = () => Promise.reject(new Error('Signing of raw payloads is not supported by Ledger'));
    await flow.sign();
    expect(flow.store.getState().failure?.message).toContain('cannot sign a text');
  });

  it('with a chain offers the hotkeys of a coldkey, and one that is pasted', async () => {
    const owned = { address: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty', uid: 3 };
    const flow = start({ hotkeysOf: () => Promise.resolve([owned]) });
    await flow.choose(flow.store.getState().wallets[0]!);
    const [account] = flow.store.getState().accounts;
    await flow.pickAccount(account!);
    expect(stepOf(flow, 'hotkey').lookup).toEqual({ kind: 'found', choices: [owned] });
    await flow.pickHotkey('5FHneW46');
    expect(flow.store.getState().failure?.message).toBe('That is no address.');
    await flow.pickHotkey(owned.address);
    await flow.sign();
    const { record } = stepOf(flow, 'connected');
    expect(record.request).toMatchObject({ signer: account!.address, delegation: { hotkey: owned.address } });
  });

  it('with a chain that does not answer says so, and goes on', async () => {
    const flow = start({ hotkeysOf: () => Promise.reject(new Error('no endpoint answers')) });
    await flow.choose(flow.store.getState().wallets[0]!);
    await flow.pickAccount(flow.store.getState().accounts[0]!);
    expect(stepOf(flow, 'hotkey').lookup).toEqual({ kind: 'failed', reason: 'no endpoint answers' });
  });
});
