import { describe, expect, it } from 'vitest';
import type { Metagraph } from '../../chain/types.ts';
import { resolveSubject } from './resolve.ts';

const neurons = [
  { uid: 0, hotkey: 'a', coldkey: 'owner' },
  { uid: 1, hotkey: 'b', coldkey: 'owner' },
  { uid: 2, hotkey: 'owner-too', coldkey: 'owner-too' },
];
const metagraph = { neurons } as unknown as Metagraph;
const address = (text: string) => resolveSubject({ kind: 'address', address: text }, metagraph);

describe('resolveSubject', () => {
  it('finds a neuron by uid and by hotkey', () => {
    expect(resolveSubject({ kind: 'uid', uid: 1 }, metagraph)).toEqual({ kind: 'neuron', neuron: neurons[1] });
    expect(address('a')).toEqual({ kind: 'neuron', neuron: neurons[0] });
  });

  it('takes a coldkey for what it is, unless it is a hotkey too', () => {
    expect(address('owner')).toEqual({ kind: 'coldkey', neurons: [neurons[0], neurons[1]] });
    expect(address('owner-too')).toEqual({ kind: 'neuron', neuron: neurons[2] });
  });

  it('knows nobody else', () => {
    expect(address('c')).toEqual({ kind: 'nobody' });
    expect(resolveSubject({ kind: 'uid', uid: 3 }, metagraph)).toEqual({ kind: 'nobody' });
  });
});
