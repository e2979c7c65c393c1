/** `gauntlet chain weights`: what the run's weights come to on its subnet, and sending them. */
import type { WeightsPlan } from '../../chain/types.ts';
import { readHotkeyFile } from '../adapters/chain/hotkey-file.ts';
import { sharesOf } from '../adapters/chain/shares.ts';
import { chainTarget, runWeights, withChain, type ChainOptions } from './chain-target.ts';
import { UsageError } from './usage-error.ts';

export interface ChainWeightsOptions extends ChainOptions {
  readonly keyFile?: string;
  /** Whose weights they would be, for a dry run without a key. */
  readonly hotkey?: string;
  readonly burnUid?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** For a terminal, a line an entry. @param head finalised block that the plan is of */
export function describePlan(plan: WeightsPlan, shares: ReadonlyMap<string, number>, head: number): string[] {
  const { method, validatorUid, entries, unregistered, allowedFrom, obstacles } = plan;
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
  const sum = entries.reduce((value, entry) => value + entry.value, 0);
  return [
    `by uid      ${validatorUid}, ${method === 'set' ? 'set at once' : 'as a timelocked commit, revealed by the chain later'}`,
    `in the run  ${(100 * total).toFixed(2)} % of all weight is given; on a chain weights are relative`,
    `allowed     ${allowedFrom > head ? `from block ${allowedFrom}; it is ${head} now` : 'now'}`,
    '',
    '  uid  hotkey                                              in the run  on the chain    u16',
    ...entries.map(({ uid, hotkey, value }) =>
      [
        String(uid).padStart(5),
        hotkey.padEnd(48),
        `${(100 * (shares.get(hotkey) ?? 0)).toFixed(3)} %`.padStart(12),
        `${(100 * (sum > 0 ? value / sum : 0)).toFixed(3)} %`.padStart(12),
        String(value).padStart(5),
      ].join('  '),
    ),
    ...unregistered.map((hotkey) => `    –  ${hotkey}  is not registered on the subnet: left out`),
    ...obstacles.map((reason) => `refused     ${reason}`),
  ];
}

export async function chainWeightsCommand(options: ChainWeightsOptions): Promise<void> {
  const { keyFile, dryRun = false, json = false, burnUid } = options;
  const signer = keyFile === undefined ? undefined : await readHotkeyFile(keyFile);
  if (!signer && !dryRun) {
    throw new UsageError('weights are signed: name the hotkey’s file with --key-file, or only look with --dry-run');
  }
  const hotkey = signer?.address ?? options.hotkey;
  if (hotkey === undefined) throw new UsageError('whose weights? Name the validator with --hotkey or --key-file');
  const run = await runWeights(options);
  const { netuid, ...rest } = await chainTarget(options, () => Promise.resolve(run));

  await withChain({ netuid, ...rest }, async (chain) => {
    const { neurons, block } = await chain.metagraph(netuid);
    const burn = burnUid === undefined ? undefined : neurons[burnUid]?.hotkey;
    if (burnUid !== undefined && burn === undefined) throw new UsageError(`subnet ${netuid} has no uid ${burnUid}`);
    const shares = sharesOf(run.peers, burn);
    if (shares.size === 0) throw new UsageError('no peer has a weight yet; windows have to be judged first');
    const plan = await chain.planWeights(netuid, hotkey, shares);
    const lines = describePlan(plan, shares, block.number);
    console.log(json ? JSON.stringify(plan, undefined, 2) : lines.join('\n'));
    if (dryRun || !signer) return;
    if (plan.obstacles.length > 0) throw new UsageError(`the chain would refuse: ${plan.obstacles.join(' ')}`);
    const sent = await chain.sendWeights(netuid, plan, signer);
    console.error(
      `${plan.method === 'set' ? 'set' : 'committed'} in block ${sent.block.number} (${sent.extrinsicHash})`,
    );
  });
}
