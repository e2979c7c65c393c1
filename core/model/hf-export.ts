/** A model as the files that `transformers` loads with `from_pretrained`: everything but the reading and writing. */
import * as z from 'zod';
import { END_OF_TEXT } from '../data/bpe.ts';
import { CheckpointError } from './checkpoint.ts';
import type { ModelConfig } from './config.ts';
import { toHfConfig } from './hf-config.ts';
import { parameterLayout } from './layout.ts';
import { encodeHeader } from './safetensors.ts';

export const WEIGHTS_FILE = 'model.safetensors';
export const TOKENIZER_FILE = 'tokenizer.json';
/** The whole folder, weights last. */
export const MODEL_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer_config.json',
  TOKENIZER_FILE,
  WEIGHTS_FILE,
] as const;

/** Names of the end and the begin token in the tokenizers of Llama models, ours first. */
const END_TOKENS = [END_OF_TEXT, '<|end_of_text|>', '</s>'];
const BEGIN_TOKENS = ['<|begin_of_text|>', '<s>'];

const SpecialTokenSchema = z.looseObject({ id: z.int().nonnegative(), content: z.string() });
const AddedTokensSchema = z.looseObject({ added_tokens: z.array(SpecialTokenSchema).default([]) });

type SpecialToken = z.infer<typeof SpecialTokenSchema>;

function specialTokens(tokenizerJson: Uint8Array): { begin: SpecialToken | null; end: SpecialToken | null } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(tokenizerJson));
  } catch (cause) {
    throw new CheckpointError(`${TOKENIZER_FILE} is not JSON in UTF-8`, { cause });
  }
  const parsed = AddedTokensSchema.safeParse(value);
  if (!parsed.success) throw new CheckpointError(`${TOKENIZER_FILE}: ${z.prettifyError(parsed.error)}`);
  const find = (names: readonly string[]): SpecialToken | null =>
    parsed.data.added_tokens.find(({ content }) => names.includes(content)) ?? null;
  const end = find(END_TOKENS);
  return { begin: find(BEGIN_TOKENS) ?? end, end };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * The text files beside the weights and tokenizer.json, by name.
 *
 * @param tokenizerJson bytes of tokenizer.json
 * @throws CheckpointError when tokenizer.json is malformed
 */
export function describingFiles(config: ModelConfig, tokenizerJson: Uint8Array): ReadonlyMap<string, string> {
  const { begin, end } = specialTokens(tokenizerJson);
  const special = { begin: begin?.id ?? null, end: end?.id ?? null };
  return new Map([
    ['config.json', json(toHfConfig(config, special))],
    [
      'generation_config.json',
      json({ _from_model_config: true, bos_token_id: special.begin, eos_token_id: special.end }),
    ],
    [
      'tokenizer_config.json',
      json({
        add_prefix_space: false,
        bos_token: begin?.content ?? null,
        clean_up_tokenization_spaces: false,
        eos_token: end?.content ?? null,
        model_max_length: config.contextLength,
        tokenizer_class: 'PreTrainedTokenizerFast',
        unk_token: null,
      }),
    ],
  ]);
}

/** What comes before the flat parameter vector's bytes in model.safetensors: the layout's order has no gaps. */
export function weightsHeader(config: ModelConfig): Uint8Array<ArrayBuffer> {
  return encodeHeader(parameterLayout(config).parameters);
}
