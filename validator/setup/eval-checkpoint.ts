/** Mean loss of a checkpoint folder on given tokens: the figure that `transformers` computes on the same tokens. */
import { readFile } from 'node:fs/promises';
import { nextTokenBatch } from '../../core/data/batch.ts';
import type { EngineOptions, Evaluator } from '../../engine/engine.ts';
import { readCheckpointDir } from './checkpoint-files.ts';

/** The tokens cannot be evaluated; the message says why. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

export interface CheckpointEvaluation {
  readonly dir: string;
  /** Token ids, or the path of a text file of ids separated by white space. */
  readonly tokens: readonly number[] | string;
  readonly createEvaluator: (options: EngineOptions) => Promise<Evaluator>;
  /** Sequences evaluated at once, at most. Default 8. */
  readonly sequences?: number;
}

/**
 * Reads token ids separated by white space.
 *
 * @throws EvaluationError for anything that is not a decimal id
 */
export function parseTokens(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word, position) => {
      const id = Number(word);
      if (!/^[0-9]+$/.test(word) || !Number.isSafeInteger(id)) {
        throw new EvaluationError(`entry ${position}, ${JSON.stringify(word.slice(0, 40))}, is not a token id`);
      }
      return id;
    });
}

async function readTokens(file: string): Promise<number[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new EvaluationError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parseTokens(text);
}

/**
 * Mean next-token cross-entropy, in nats. The tokens are cut into sequences of the context length without overlap;
 * every token but a sequence's first is predicted; a shorter last sequence counts from 2 tokens on.
 *
 * @returns the mean loss and how many tokens were predicted
 * @throws EvaluationError for fewer than 2 tokens or an id outside the vocabulary, besides what `readCheckpointDir` throws
 */
export async function evaluateCheckpoint(evaluation: CheckpointEvaluation): Promise<{ loss: number; tokens: number }> {
  const ids = typeof evaluation.tokens === 'string' ? await readTokens(evaluation.tokens) : evaluation.tokens;
  if (ids.length < 2) throw new EvaluationError(`a loss needs at least 2 tokens, not ${ids.length}`);
  const { config, parameters } = await readCheckpointDir(evaluation.dir);
  const bad = ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < config.vocabSize));
  if (bad >= 0) {
    throw new EvaluationError(`token ${bad} is ${ids[bad]!}, outside the vocabulary of ${config.vocabSize}`);
  }

  const length = config.contextLength;
  const sequences = Math.min(evaluation.sequences ?? 8, Math.ceil(ids.length / length));
  const evaluator = await evaluation.createEvaluator({ config, sequences, length });
  try {
    await evaluator.setParameters(parameters);
    let sum = 0;
    let tokens = 0;
    for (let start = 0; start + 1 < ids.length; start += sequences * length) {
      const batch = nextTokenBatch(ids.slice(start, start + sequences * length), sequences, length);
      const loss = await evaluator.loss(batch);
      sum += loss.sum;
      tokens += loss.count;
    }
    return { loss: sum / tokens, tokens };
  } finally {
    await evaluator.dispose();
  }
}
