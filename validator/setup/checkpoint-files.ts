/**
 * Checkpoint folders as `transformers` reads and writes them: config.json, model.safetensors (or shards with an
 * index), tokenizer.json. Tensors are read and written one at a time. Node only.
 */
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { END_OF_TEXT } from '../../core/data/bpe.ts';
import {
  CheckpointError,
  checkDuplicate,
  placeTensor,
  planStateDict,
  stateDictOf,
} from '../../core/model/checkpoint.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { fromHfConfig, toHfConfig } from '../../core/model/hf-config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import {
  encodeHeader,
  headerLength,
  parseHeader,
  tensorToFloat32,
  type TensorEntry,
} from '../../core/model/safetensors.ts';
import { writeFileAtomically } from './files.ts';

export interface CheckpointFolder {
  readonly config: ModelConfig;
  /** Flat fp32 vector in layout order. */
  readonly parameters: Float32Array<ArrayBuffer>;
  /** tokenizer.json as it lies there, or null when there is none. */
  readonly tokenizerJson: Uint8Array<ArrayBuffer> | null;
  /** Id of the token that ends a text, or null when config.json names none. */
  readonly endOfTextId: number | null;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** A file's bytes, or null when it does not exist. @throws CheckpointError when it cannot be read */
async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CheckpointError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError(`${path} is not JSON in UTF-8`, { cause });
  }
}

/** File names of the weights, from the index if there is one. */
async function weightFiles(dir: string): Promise<string[]> {
  const path = join(dir, INDEX);
  const bytes = await readIfThere(path);
  if (bytes === null) return [SINGLE];
  const map: unknown = (parseJson(path, bytes) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw new CheckpointError(`${path} has no weight_map`);
  const files = new Set<string>();
  for (const file of Object.values(map)) {
    if (typeof file !== 'string' || file !== basename(file) || !file.endsWith('.safetensors')) {
      throw new CheckpointError(
        `${path} names ${JSON.stringify(file)}, which is not a safetensors file in this folder`,
      );
    }
    files.add(file);
  }
  return [...files];
}

interface Weight {
  readonly file: FileHandle;
  /** Offset in the file. */
  readonly position: number;
  readonly entry: TensorEntry;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  // A single read returns at most 2 GiB.
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), position + done);
    if (bytesRead === 0) throw new CheckpointError('a weights file ended while it was read');
    done += bytesRead;
  }
  return bytes;
}

async function indexFile(file: FileHandle, weights: Map<string, Weight>): Promise<void> {
  const { size } = await file.stat();
  const length = headerLength(await readExactly(file, 0, Math.min(8, size)), size);
  const { tensors, dataOffset } = parseHeader(await readExactly(file, 8, length), size);
  for (const entry of tensors.values()) {
    if (weights.has(entry.name)) throw new CheckpointError(`tensor ${entry.name} is in two files`);
    weights.set(entry.name, { file, position: dataOffset + entry.begin, entry });
  }
}

async function readParameters(dir: string, config: ModelConfig): Promise<Float32Array<ArrayBuffer>> {
  const handles: FileHandle[] = [];
  try {
    const weights = new Map<string, Weight>();
    for (const name of await weightFiles(dir)) {
      const file = await open(join(dir, name)).catch((cause: unknown) => {
        throw new CheckpointError(`${join(dir, name)} cannot be opened`, { cause });
      });
      handles.push(file);
      await indexFile(file, weights);
    }
    const plan = planStateDict(config, new Map([...weights].map(([name, { entry }]) => [name, entry.shape])));
    const read = async (name: string): Promise<Float32Array> => {
      const { file, position, entry } = weights.get(name)!;
      return tensorToFloat32(entry, await readExactly(file, position, entry.end - entry.begin));
    };
    const parameters = new Float32Array(plan.total);
    for (const spec of plan.load) placeTensor(parameters, spec, await read(spec.name));
    if (plan.duplicate !== null) checkDuplicate(parameters, plan, await read(plan.duplicate.name));
    return parameters;
  } finally {
    await Promise.all(handles.map((file) => file.close()));
  }
}

function endOfText(config: unknown): number | null {
  const { eos_token_id: eos } = config as { eos_token_id?: unknown };
  const id: unknown = Array.isArray(eos) ? eos[0] : eos;
  return Number.isInteger(id) ? (id as number) : null;
}

/**
 * Reads a checkpoint folder.
 *
 * @throws HfConfigError, SafetensorsError or CheckpointError, each saying what is wrong with which file
 */
export async function readCheckpointDir(dir: string): Promise<CheckpointFolder> {
  const path = join(dir, 'config.json');
  const bytes = await readIfThere(path);
  if (bytes === null) throw new CheckpointError(`${path} does not exist`);
  const json = parseJson(path, bytes);
  const config = fromHfConfig(json);
  return {
    config,
    parameters: await readParameters(dir, config),
    tokenizerJson: await readIfThere(join(dir, 'tokenizer.json')),
    endOfTextId: endOfText(json),
  };
}

/** Names of the end and the begin token in the tokenizers of Llama models, ours first. */
const END_TOKENS = [END_OF_TEXT, '<|end_of_text|>', '</s>'];
const BEGIN_TOKENS = ['<|begin_of_text|>', '<s>'];

const SpecialTokenSchema = z.looseObject({ id: z.int().nonnegative(), content: z.string() });
const AddedTokensSchema = z.looseObject({ added_tokens: z.array(SpecialTokenSchema).default([]) });

type SpecialToken = z.infer<typeof SpecialTokenSchema>;

function specialTokens(tokenizerJson: Uint8Array): { begin: SpecialToken | null; end: SpecialToken | null } {
  const parsed = AddedTokensSchema.safeParse(parseJson('tokenizer.json', tokenizerJson));
  if (!parsed.success) throw new CheckpointError(`tokenizer.json: ${z.prettifyError(parsed.error)}`);
  const find = (names: readonly string[]): SpecialToken | null =>
    parsed.data.added_tokens.find(({ content }) => names.includes(content)) ?? null;
  const end = find(END_TOKENS);
  return { begin: find(BEGIN_TOKENS) ?? end, end };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Writes a checkpoint folder that `transformers` loads with `from_pretrained`. The weights come last: a folder with
 * `model.safetensors` in it is complete.
 *
 * @param parameters flat fp32 vector in layout order
 * @param tokenizerJson bytes of tokenizer.json, copied as they are
 * @throws RangeError when the vector's length is not the model's, CheckpointError when tokenizer.json is malformed
 */
export async function exportCheckpointDir(
  dir: string,
  config: ModelConfig,
  parameters: Float32Array,
  tokenizerJson: Uint8Array,
): Promise<void> {
  const tensors = stateDictOf(parameterLayout(config), parameters);
  const { begin, end } = specialTokens(tokenizerJson);
  const special = { begin: begin?.id ?? null, end: end?.id ?? null };
  await mkdir(dir, { recursive: true });
  const write = (name: string, parts: Iterable<Uint8Array | string>): Promise<void> =>
    writeFileAtomically(join(dir, name), parts);
  await write('config.json', [json(toHfConfig(config, special))]);
  await write('generation_config.json', [
    json({ _from_model_config: true, bos_token_id: special.begin, eos_token_id: special.end }),
  ]);
  await write('tokenizer.json', [tokenizerJson]);
  await write('tokenizer_config.json', [
    json({
      add_prefix_space: false,
      bos_token: begin?.content ?? null,
      clean_up_tokenization_spaces: false,
      eos_token: end?.content ?? null,
      model_max_length: config.contextLength,
      tokenizer_class: 'PreTrainedTokenizerFast',
      unk_token: null,
    }),
  ]);
  await write(SINGLE, [
    encodeHeader(tensors),
    ...tensors.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}
