/** The nodes of a run's chain, one by one: a validator takes the first that answers, so that a dead one goes unnoticed. */
import { ChainError } from '../../../chain/errors.ts';
import { messageOf } from '../../../client/http.ts';
import type { RunChain } from '../../../core/protocol/manifest.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

const TIMEOUT_MS = 10_000;

async function examineNode(endpoint: string, { genesisHash }: RunChain): Promise<Finding> {
  // The library takes half a second to load, which no run without a chain should wait.
  const { connectChain } = await import('../../../chain/connect.ts');
  try {
    const chain = await connectChain({ endpoints: [endpoint], genesisHash, timeoutMs: TIMEOUT_MS });
    try {
      const { number } = await chain.head();
      return ok('chain', `${endpoint} answers, finalised block ${number}`);
    } finally {
      await chain.close();
    }
  } catch (error) {
    if (error instanceof ChainError && error.kind === 'wrong-chain') {
      return failure('chain', `${endpoint} serves another chain than ${genesisHash.slice(0, 10)}…`, 'Make it serve the run’s chain: the list of nodes is part of the signed run.'); // prettier-ignore
    }
    return warning(
      'chain',
      `${endpoint} does not answer: ${messageOf(error)}`,
      'Start that node, or mend the way to it.',
    );
  }
}

export async function examineChain(chain: RunChain): Promise<Finding[]> {
  const findings = await Promise.all(chain.endpoints.map((endpoint) => examineNode(endpoint, chain)));
  if (findings.some(({ result }) => result === 'ok')) return findings;
  return [
    ...findings,
    failure('chain', 'no node answers: windows wait for blocks', 'Start one; nothing is lost meanwhile.'),
  ];
}
