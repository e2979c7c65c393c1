/** A batch as the tensors that the graphs take. */
import { IGNORED_TARGET, type Batch } from '../core/data/batch.ts';

export interface BatchArrays {
  readonly tokens: BigInt64Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly counts: Float32Array<ArrayBuffer>;
  /** Predicted tokens. */
  readonly predicted: number;
}

/** @throws RangeError for a batch of another shape, or an id outside the vocabulary */
export function batchArrays(
  batch: Batch,
  expected: { sequences: number; length: number; vocabSize: number },
): BatchArrays {
  const { sequences, length, vocabSize } = expected;
  const rows = sequences * length;
  if (
    batch.sequences !== sequences ||
    batch.length !== length ||
    batch.tokens.length !== rows ||
    batch.targets.length !== rows
  ) {
    throw new RangeError(
      `a batch of ${batch.sequences} x ${batch.length} tokens, the engine is compiled for ${sequences} x ${length}`,
    );
  }
  const tokens = new BigInt64Array(rows);
  const targets = new Int32Array(rows);
  const counts = new Float32Array(rows);
  let predicted = 0;
  for (let i = 0; i < rows; i++) {
    const token = batch.tokens[i]!;
    const target = batch.targets[i]!;
    const counted = target !== IGNORED_TARGET;
    if (!(token >= 0 && token < vocabSize) || (counted && !(target >= 0 && target < vocabSize))) {
      throw new RangeError(`position ${i} holds an id outside the vocabulary of ${vocabSize}`);
    }
    tokens[i] = BigInt(token);
    if (!counted) continue;
    targets[i] = target;
    counts[i] = 1;
    predicted++;
  }
  return { tokens, targets, counts, predicted };
}
