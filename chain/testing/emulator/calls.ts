/** Which calls the emulator executes; all others fail as filtered ones do. */
import type { GenericCall } from '@polkadot/types';
import { FRAME_CALLS } from './calls-frame.ts';
import { SUBTENSOR_CALLS } from './calls-subtensor.ts';
import { Args, Refusal, signer, type Call, type Context } from './dispatch.ts';

export const nameOf = (call: GenericCall): string => `${call.section}.${call.method}`;

/** Runs one call. @throws Refusal, and what it wrote until then has to be undone by the caller */
export const execute = (context: Context, call: GenericCall): void => {
  const run = CALLS[nameOf(call)];
  if (run === undefined) throw new Refusal('System', 'CallFiltered');
  run(context, new Args(call));
};

const sudo: Call = (context, args) => {
  if (signer(context) !== context.storage.text('sudo', 'key')) throw new Refusal('Sudo', 'RequireSudo');
  let result: unknown = { Ok: null };
  try {
    context.storage.transact(() => execute({ ...context, origin: null }, args.call('call')));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    result = { Err: error.dispatchError(context.storage) };
  }
  context.event('Sudo', 'Sudid', result);
};

const CALLS: Readonly<Record<string, Call>> = { ...FRAME_CALLS, ...SUBTENSOR_CALLS, 'sudo.sudo': sudo };
