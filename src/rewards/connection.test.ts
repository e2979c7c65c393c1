import { describe, expect, it } from 'vitest';
import type { Metagraph } from '../../chain/types.ts';
import { describeConnection } from './connection.ts';

const metagraph = { block: { number: 1_234, hash: '0x' } } as Metagraph;
const none = { metagraph: undefined, failure: undefined };
const cut = { kind: 'disconnected', endpoint: 'wss://a', reason: 'the node went away.' } as const;

describe('the connection in words', () => {
  it('names the node and its runtime', () => {
    const connection = { kind: 'connected', endpoint: 'wss://a', specVersion: 425 } as const;
    expect(describeConnection({ ...none, connection }, 1)).toMatchObject({ tone: 'good', short: 'Connected' });
    expect(describeConnection({ ...none, connection }, 1).detail).toContain('wss://a, runtime 425');
  });

  it('says why it is cut, what happens next, and how old the figures are', () => {
    const { tone, detail } = describeConnection({ ...none, connection: cut, metagraph }, 2);
    expect(tone).toBe('bad');
    expect(detail).toBe(
      'The line to wss://a is cut: the node went away. The next node is tried by itself. ' +
        'The figures below are those of block 1,234.',
    );
    expect(describeConnection({ ...none, connection: cut }, 1).detail).toContain('It is tried again by itself.');
  });

  it('tells a first attempt from another node taking over', () => {
    const connection = { kind: 'connecting', endpoint: 'wss://b' } as const;
    expect(describeConnection({ ...none, connection }, 2).short).toBe('Connecting');
    expect(describeConnection({ ...none, connection, metagraph }, 2).short).toBe('Failing over');
    const loading = { kind: 'loading' } as const;
    expect(describeConnection({ ...none, connection: loading }, 1).short).toBe('Connecting');
    expect(describeConnection({ ...none, connection: loading, failure: new Error() }, 1).short).toBe('Not connected');
  });
});
