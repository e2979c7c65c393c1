/**
 * Checkpoint folders as `transformers` reads and writes them: config.json, model.safetensors (or shards with an
 * index), tokenizer.json. Tensors are read and written one at a time. Node only.
 */
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parameterBytes } from '../../core/lockstep/parameters.ts';
import { CheckpointError, checkDuplicate, placeTensor, planStateDict } from '../../core/model/checkpoint.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { fromHfConfig } from '../../core/model/hf-config.ts';
import { describingFiles, TOKENIZER_FILE, WEIGHTS_FILE, weightsHeader } from '../../core/model/hf-export.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { headerLength, parseHeader, tensorToFloat32, type TensorEntry } from '../../core/model/safetensors.ts';
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
  if (bytes === null) return [WEIGHTS_FILE];
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
    tokenizerJson: await readIfThere(join(dir, TOKENIZER_FILE)),
    endOfTextId: endOfText(json),
  };
}

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
  const { total } = parameterLayout(config);
  if (parameters.length !== total) throw new RangeError(`${parameters.length} parameters for a model of ${total}`);
  const files = describingFiles(config, tokenizerJson);
  await mkdir(dir, { recursive: true });
  for (const [name, text] of files) await writeFileAtomically(join(dir, name), [text]);
  await writeFileAtomically(join(dir, TOKENIZER_FILE), [tokenizerJson]);
  await writeFileAtomically(join(dir, WEIGHTS_FILE), [weightsHeader(config), parameterBytes(parameters)]);
}
