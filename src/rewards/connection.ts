/** The state of a connection to a chain, in words. */
import { t } from '@lingui/core/macro';
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
  const kept = metagraph ? ` ${t`The figures below are those of block ${formatInteger(metagraph.block.number)}.`}` : '';
  switch (connection.kind) {
    case 'loading':
      return failure
        ? { tone: 'bad', short: t`Not connected`, detail: t`It is tried again by itself.` }
        : { tone: 'neutral', short: t`Connecting`, detail: t`Loading what reads chains, and looking for a node.` };
    case 'connecting':
      // With figures at hand it was connected before: another node takes over.
      return metagraph
        ? { tone: 'warn', short: t`Failing over`, detail: t`Trying ${connection.endpoint}.` + kept }
        : { tone: 'neutral', short: t`Connecting`, detail: t`Waiting for ${connection.endpoint}.` };
    case 'connected':
      return {
        tone: 'good',
        short: t`Connected`,
        detail: t`${connection.endpoint}, runtime ${connection.specVersion}. Everything is read at finalised blocks.`,
      };
    case 'disconnected':
      return {
        tone: 'bad',
        short: t`Disconnected`,
        detail:
          (endpoints > 1
            ? t`The line to ${connection.endpoint} is cut: ${connection.reason.replace(/\.$/, '')}. The next node is tried by itself.`
            : t`The line to ${connection.endpoint} is cut: ${connection.reason.replace(/\.$/, '')}. It is tried again by itself.`) +
          kept,
      };
  }
}
