/** The state of a connection to a chain, in words. */
import type { BadgeTone } from '../ui/badge.tsx';
import { formatInteger } from '../ui/format.ts';
import type { SubnetState } from './subnet-watch.ts';

export interface ConnectionInWords {
  readonly tone: BadgeTone;
  readonly short: string;
  readonly detail: string;
}

export function describeConnection(
  { connection, metagraph, failure }: Pick<SubnetState, 'connection' | 'metagraph' | 'failure'>,
  endpoints: number,
): ConnectionInWords {
  const kept = metagraph ? ` The figures below are those of block ${formatInteger(metagraph.block.number)}.` : '';
  switch (connection.kind) {
    case 'loading':
      return failure
        ? { tone: 'bad', short: 'Not connected', detail: 'It is tried again by itself.' }
        : { tone: 'neutral', short: 'Connecting', detail: 'Loading what reads chains, and looking for a node.' };
    case 'connecting':
      // With figures at hand it was connected before: another node takes over.
      return metagraph
        ? { tone: 'warn', short: 'Failing over', detail: `Trying ${connection.endpoint}.${kept}` }
        : { tone: 'neutral', short: 'Connecting', detail: `Waiting for ${connection.endpoint}.` };
    case 'connected':
      return {
        tone: 'good',
        short: 'Connected',
        detail: `${connection.endpoint}, runtime ${connection.specVersion}. Everything is read at finalised blocks.`,
      };
    case 'disconnected':
      return {
        tone: 'bad',
        short: 'Disconnected',
        detail:
          `The line to ${connection.endpoint} is cut: ${connection.reason.replace(/\.$/, '')}. ` +
          `${endpoints > 1 ? 'The next node is tried' : 'It is tried again'} by itself.${kept}`,
      };
  }
}
