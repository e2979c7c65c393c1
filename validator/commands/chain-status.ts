/** `gauntlet chain status`: what a chain says of a subnet and its neurons. */
import { BLOCK_SECONDS, alphaPerDay, blocksToEpoch } from '../../chain/economics.ts';
import type { ChainStatus, Metagraph, Neuron, Subnet } from '../../chain/types.ts';
import { chainTarget, withChain, type ChainOptions } from './chain-target.ts';

/** Neurons that are printed; all of them are in the JSON. */
const SHOWN = 10;

const amount = (value: number | null, unit: string): string =>
  value === null ? '?' : `${value.toPrecision(6)} ${unit}`;
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const minutes = (blocks: number): number => Math.ceil((blocks * BLOCK_SECONDS) / 60);

function subnetLines(subnet: Subnet, block: number): string[] {
  const left = blocksToEpoch(subnet, block);
  const reveal =
    subnet.revealPeriodEpochs === null ? 'weights are committed' : `revealed after ${subnet.revealPeriodEpochs} epochs`;
  const limit = subnet.weightsRateLimit;
  return [
    `subnet      ${subnet.netuid}, ${subnet.neurons} of ${subnet.maxNeurons ?? '?'} neurons`,
    `epoch       ${left === null ? 'none' : `${subnet.tempo} blocks; the next in ${left} blocks, about ${minutes(left)} min`}`,
    `burn        ${amount(subnet.burn, 'TAO')} to register${subnet.registrationAllowed === false ? ', closed now' : ''}`,
    `price       ${amount(subnet.alphaPrice, 'TAO for an alpha')}`,
    `weights     commit-reveal ${subnet.commitReveal ? `on, ${reveal}` : 'off'}; every ${limit ?? '?'} blocks at most`,
  ];
}

function neuronRow(neuron: Neuron, { tempo }: Subnet): string {
  const { uid, hotkey, validatorPermit, incentive, emission, stake, lastUpdate } = neuron;
  const alpha = alphaPerDay(emission, tempo);
  return [
    String(uid).padStart(5),
    hotkey.padEnd(48),
    (validatorPermit ? 'validator' : 'miner').padEnd(9),
    percent(incentive).padStart(9),
    (alpha?.toFixed(3) ?? '?').padStart(12),
    (stake?.toFixed(3) ?? '?').padStart(14),
    String(lastUpdate ?? '?').padStart(11),
  ].join('  ');
}

const HEADER =
  '  uid  hotkey                                            role       incentive     alpha/day           stake  last update';

/** For a terminal, a line an entry. */
export function describeMetagraph(graph: Metagraph, status: ChainStatus): string[] {
  const { subnet, neurons, block, at, specVersion, missing } = graph;
  const ranked = [...neurons].sort((a, b) => b.incentive - a.incentive || a.uid - b.uid);
  const rest = ranked.length - SHOWN;
  return [
    `node        ${status.endpoint}, runtime ${specVersion}`,
    `head        block ${block.number} (finalised, ${at})`,
    ...subnetLines(subnet, block.number),
    ...(missing.length > 0 ? [`not said    ${missing.join(', ')}: this runtime has no such storage`] : []),
    '',
    HEADER,
    ...ranked.slice(0, SHOWN).map((neuron) => neuronRow(neuron, subnet)),
    ...(rest > 0 ? [`       and ${rest} more; --json has all`] : []),
    '',
    'Alpha a day is what the last epoch paid, a day long: instantaneous, not a forecast.',
  ];
}

export async function chainStatusCommand(options: ChainOptions & { readonly json?: boolean }): Promise<void> {
  const target = await chainTarget(options);
  await withChain(target, async (chain) => {
    const graph = await chain.metagraph(target.netuid);
    const { genesisHash } = chain;
    console.log(
      options.json
        ? JSON.stringify({ genesisHash, status: chain.status(), ...graph }, undefined, 2)
        : describeMetagraph(graph, chain.status()).join('\n'),
    );
  });
}
