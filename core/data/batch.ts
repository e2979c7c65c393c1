/** A batch of token sequences with next-token targets: what an engine trains on or evaluates. */

/** Target of a position whose prediction does not count (the convention of PyTorch's cross-entropy). */
export const IGNORED_TARGET = -100;

export interface Batch {
  /** Sequences B. */
  readonly sequences: number;
  /** Tokens a sequence T. */
  readonly length: number;
  /** [B, T] token ids, row-major. */
  readonly tokens: Int32Array;
  /** [B, T] the next token's id, or IGNORED_TARGET. */
  readonly targets: Int32Array;
}

/**
 * Builds a batch of B sequences of T tokens; each token but a sequence's first is predicted. A shorter last sequence
 * is padded with id 0 on the right, which a causal model cannot see from earlier positions.
 *
 * @param ids up to B * T token ids, sequence after sequence
 */
export function nextTokenBatch(ids: ArrayLike<number>, sequences: number, length: number): Batch {
  if (ids.length > sequences * length) {
    throw new RangeError(`${ids.length} tokens do not fit into ${sequences} sequences of ${length}`);
  }
  const tokens = new Int32Array(sequences * length);
  const targets = new Int32Array(sequences * length).fill(IGNORED_TARGET);
  tokens.set(ids);
  for (let i = 0; i + 1 < ids.length; i++) {
    if ((i + 1) % length !== 0) targets[i] = tokens[i + 1]!;
  }
  return { sequences, length, tokens, targets };
}
