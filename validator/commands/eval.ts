/** `gauntlet eval`: the mean next-token cross-entropy of a checkpoint, as one line of JSON. */
import { readFile } from 'node:fs/promises';
import { createNodeEvaluator } from '../../engine/node.ts';
import { readCheckpointDir } from '../setup/checkpoint-files.ts';
import { evaluateCheckpoint } from '../setup/eval-checkpoint.ts';
import { encoderOf } from '../setup/tokenise.ts';
import { UsageError } from './usage-error.ts';

export interface EvalOptions {
  readonly checkpoint: string;
  readonly tokens?: string;
  readonly text?: string;
}

/** The ids of a text under the checkpoint's own tokenizer. */
async function tokeniseFile(file: string, checkpoint: string): Promise<number[]> {
  const { config, tokenizerJson, endOfTextId } = await readCheckpointDir(checkpoint);
  if (!tokenizerJson) throw new UsageError(`${checkpoint} has no tokenizer.json; give token ids with --tokens`);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read`, { cause });
  });
  return encoderOf(tokenizerJson, config.vocabSize, endOfTextId).encode(text);
}

export async function evalCommand({ checkpoint, tokens, text }: EvalOptions): Promise<void> {
  if (tokens === undefined && text === undefined) throw new UsageError('give --tokens FILE or --text FILE');
  const result = await evaluateCheckpoint({
    dir: checkpoint,
    tokens: text === undefined ? tokens! : await tokeniseFile(text, checkpoint),
    createEvaluator: createNodeEvaluator,
  });
  console.log(JSON.stringify(result));
}
