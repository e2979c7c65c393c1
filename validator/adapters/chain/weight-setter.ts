/** Tells a chain the run's weights, once an epoch, for as long as it runs. */
import { ChainError } from '../../../chain/errors.ts';
import type { BlockHead, ChainSigner, Metagraph, SubtensorChain } from '../../../chain/types.ts';
import type { Leaderboard } from '../../../core/protocol/api.ts';
import type { ChainState } from '../../../core/protocol/chain.ts';
import type { Log } from '../../rounds/ports.ts';
import { sharesOf } from './shares.ts';

export interface WeightSetterOptions {
  readonly chain: SubtensorChain;
  readonly netuid: number;
  /** The validator's hotkey. */
  readonly signer: ChainSigner;
  readonly leaderboard: () => Promise<Leaderboard>;
  /** Gets what the run gives nobody; without it the chain's weights are relative. */
  readonly burnUid?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
}

type Setting = NonNullable<ChainState['weights']>;

export interface WeightSetter {
  /** What became of the newest attempt, for GET /v1/chain; null before the first. */
  state(): Setting | null;
  /** Resolves once a transaction that is under way has ended. */
  stop(): Promise<void>;
}

/** What an attempt came to, and the block from which another makes sense. */
type Attempt = Pick<Setting, 'window' | 'outcome' | 'block' | 'detail'> & { readonly next: number };

/** So close to an epoch's end a transaction may land in the next one. */
const BLOCKS_TO_LAND = 5;
/** Waited after a refusal, and twice that after each further one. */
const BACKOFF_BLOCKS = 5;
const MAX_DOUBLINGS = 6;

const landing = (tempo: number): number => Math.min(BLOCKS_TO_LAND, Math.floor(tempo / 4));

/**
 * The block of this hotkey's weights in the present epoch, null when it has set none yet. The chain itself remembers:
 * so a restart, or a transaction whose answer was lost, leads to no second setting.
 */
function setThisEpoch({ subnet, neurons }: Metagraph, hotkey: string): number | null {
  const neuron = neurons.find((each) => each.hotkey === hotkey);
  const { lastUpdate = null, registeredAt = null } = neuron ?? {};
  // A registration counts as an update, too.
  return lastUpdate !== null && lastUpdate !== registeredAt && lastUpdate >= subnet.nextEpochAt - subnet.tempo
    ? lastUpdate
    : null;
}

async function attempt(options: WeightSetterOptions, head: BlockHead): Promise<Attempt> {
  const { chain, netuid, signer, burnUid } = options;
  const { window, peers } = await options.leaderboard();
  const waiting = (detail: string, next: number, block: number | null = null): Attempt => ({
    window,
    outcome: 'waiting',
    block,
    detail,
    next,
  });
  if (burnUid === undefined && sharesOf(peers).size === 0) return waiting('No peer has a weight yet.', head.number + 1);

  const graph = await chain.metagraph(netuid);
  const { nextEpochAt, tempo } = graph.subnet;
  if (tempo === 0) return waiting('The subnet has no epochs.', head.number + BACKOFF_BLOCKS);
  const done = setThisEpoch(graph, signer.address);
  if (done !== null) {
    const detail = `Weights of this epoch were sent in block ${done}; the next are due after block ${nextEpochAt}.`;
    return waiting(detail, nextEpochAt + 1, done);
  }
  if (nextEpochAt - head.number <= landing(tempo)) {
    return waiting(`The epoch ends in block ${nextEpochAt}; weights follow after it.`, nextEpochAt + 1);
  }
  const burn = burnUid === undefined ? undefined : graph.neurons[burnUid]?.hotkey;
  if (burnUid !== undefined && burn === undefined) {
    throw new ChainError('invalid', `There is no uid ${burnUid} to burn to.`, 'Choose another --burn-uid.');
  }
  const plan = await chain.planWeights(netuid, signer.address, sharesOf(peers, burn));
  if (plan.allowedFrom > head.number) {
    return waiting(`The chain’s rate limit allows weights from block ${plan.allowedFrom}.`, plan.allowedFrom);
  }
  if (plan.entries.length === 0) {
    return waiting('None of the peers with a weight is registered on the subnet.', head.number + BACKOFF_BLOCKS);
  }
  if (plan.obstacles.length > 0) throw new ChainError('refused', plan.obstacles.join(' '), '');
  const { block } = await chain.sendWeights(netuid, plan, signer);
  const [outcome, verb] = plan.method === 'set' ? (['set', 'Set'] as const) : (['committed', 'Committed'] as const);
  const others = plan.unregistered.length > 0 ? `, ${plan.unregistered.length} unregistered left out` : '';
  const detail = `${verb} weights of ${plan.entries.length} neurons in block ${block.number}${others}.`;
  return { window, outcome, block: block.number, detail, next: nextEpochAt + 1 };
}

export function startWeightSetter(options: WeightSetterOptions): WeightSetter {
  const { chain, signer, log, now } = options;
  let state: Setting | null = null;
  let next = 0;
  let refusals = 0;
  let stopped = false;
  let underway: Promise<void> | null = null;

  function tell({ next: _next, ...outcome }: Attempt): void {
    const before = state;
    state = { ...outcome, hotkey: signer.address, at: new Date(now()).toISOString() };
    if (before?.detail === state.detail) return;
    const { window, block, detail } = state;
    log[state.outcome === 'refused' ? 'warn' : 'info']({ window, block, hotkey: signer.address }, detail);
  }

  async function act(head: BlockHead): Promise<void> {
    try {
      const made = await attempt(options, head);
      next = made.next;
      refusals = 0;
      tell(made);
    } catch (error) {
      next = head.number + BACKOFF_BLOCKS * 2 ** Math.min(refusals++, MAX_DOUBLINGS);
      const known = error instanceof ChainError;
      if (!known) log.error({ err: error }, 'weights could not be sent');
      const detail = known ? error.message : 'The validator failed to send weights; its log says why.';
      const outcome = known && error.kind === 'unreachable' ? 'waiting' : 'refused';
      tell({ window: state?.window ?? 0, outcome, block: null, detail, next });
    }
  }

  const unfollow = chain.followHeads((head) => {
    if (stopped || underway || head.number < next) return;
    underway = act(head).finally(() => (underway = null));
  });
  return {
    state: () => state,
    async stop() {
      stopped = true;
      unfollow();
      await underway;
    },
  };
}
