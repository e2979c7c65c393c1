import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ByteLevelBpe } from '../../core/data/bpe.ts';
import { toTokenizerJson } from '../../core/data/tokenizer.ts';
import { CheckpointError, stateDictOf } from '../../core/model/checkpoint.ts';
import { HfConfigError } from '../../core/model/hf-config.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../core/model/safetensors.ts';
import { exportCheckpointDir, readCheckpointDir } from './checkpoint-files.ts';

const { model } = PRESETS.micro;
const parameters = initialParameters(model, new Uint8Array(32));
const tokenizerJson = new TextEncoder().encode(JSON.stringify(toTokenizerJson(new ByteLevelBpe([[98, 99]]))));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rm(dir, { recursive: true }));

const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dir, name), 'utf8'));

describe('checkpoint folder', () => {
  it('reads back as it was written', async () => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    const read = await readCheckpointDir(dir);
    expect(read.config).toEqual(model);
    expect(read.parameters).toEqual(parameters);
    expect(read.tokenizerJson).toEqual(tokenizerJson);
    expect(read.endOfTextId).toBe(0);
  });

  it('has the files of transformers, and no others', async () => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    expect((await readdir(dir)).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(await readJson('tokenizer_config.json')).toMatchObject({
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<|endoftext|>',
      model_max_length: 64,
    });
    expect(await readJson('config.json')).toMatchObject({ bos_token_id: 0, eos_token_id: 0 });
    const { tensors, metadata } = decodeSafetensors(new Uint8Array(await readFile(join(dir, 'model.safetensors'))));
    expect(metadata.get('format')).toBe('pt');
    expect(tensors.get('model.layers.1.self_attn.k_proj.weight')!.shape).toEqual([32, 64]);
    expect(tensors.has('lm_head.weight')).toBe(false);
  });

  it('takes the begin and end tokens of a Llama tokenizer', async () => {
    const llama = { added_tokens: [{ id: 1, content: '<s>' }, { id: 2, content: '</s>' }] }; // prettier-ignore
    await exportCheckpointDir(dir, model, parameters, new TextEncoder().encode(JSON.stringify(llama)));
    expect(await readJson('config.json')).toMatchObject({ bos_token_id: 1, eos_token_id: 2 });
    expect((await readCheckpointDir(dir)).endOfTextId).toBe(2);
  });

  it('is replaced when written again', async () => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    const other = initialParameters(model, Uint8Array.of(1));
    await exportCheckpointDir(dir, model, other, tokenizerJson);
    expect((await readCheckpointDir(dir)).parameters).toEqual(other);
  });

  it('may be in shards', async () => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    await rm(join(dir, 'model.safetensors'));
    const tensors = stateDictOf(parameterLayout(model), parameters);
    const shards = [tensors.slice(0, 5), tensors.slice(5)];
    const weight_map: Record<string, string> = {};
    for (const [i, shard] of shards.entries()) {
      const name = `model-0000${i + 1}-of-00002.safetensors`;
      await writeFile(join(dir, name), encodeSafetensors(shard));
      for (const tensor of shard) weight_map[tensor.name] = name;
    }
    await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
    expect((await readCheckpointDir(dir)).parameters).toEqual(parameters);

    await writeFile(join(dir, 'model-00002-of-00002.safetensors'), encodeSafetensors(tensors.slice(4)));
    await expect(readCheckpointDir(dir)).rejects.toThrow(/is in two files/);
  });

  it.each([['../model.safetensors'], ['/etc/passwd'], [3]])('does not follow an index to %s', async (name) => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { a: name } }));
    await expect(readCheckpointDir(dir)).rejects.toThrow(/not a safetensors file in this folder/);
  });

  it.each<[string, string, string | null, new (message: string) => Error]>([
    ['no config', 'config.json', null, CheckpointError],
    ['a config that is no JSON', 'config.json', '{', CheckpointError],
    ['a config of another family', 'config.json', '{"model_type":"gpt2"}', HfConfigError],
    ['no weights', 'model.safetensors', null, CheckpointError],
    ['weights cut short', 'model.safetensors', 'short', SafetensorsError],
    ['an index without a map', 'model.safetensors.index.json', '[]', CheckpointError],
  ])('refuses %s', async (_, name, content, error) => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    if (content === null) await rm(join(dir, name));
    else await writeFile(join(dir, name), content);
    await expect(readCheckpointDir(dir)).rejects.toThrow(error);
  });

  it('refuses weights of another model', async () => {
    await exportCheckpointDir(dir, model, parameters, tokenizerJson);
    const config = (await readJson('config.json')) as Record<string, unknown>;
    await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, intermediate_size: 64 }));
    await expect(readCheckpointDir(dir)).rejects.toThrow(/gate_proj\.weight is \[128, 64\], the model has \[64, 64\]/);
  });

  it('leaves no part of a file behind when it cannot write', async () => {
    await mkdir(join(dir, 'tokenizer.json'));
    await expect(exportCheckpointDir(dir, model, parameters, tokenizerJson)).rejects.toThrow();
    expect((await readdir(dir)).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it.each(['nonsense', '{"added_tokens":[null]}'])('refuses to write the tokenizer %s', async (text) => {
    const bytes = new TextEncoder().encode(text);
    await expect(exportCheckpointDir(dir, model, parameters, bytes)).rejects.toThrow(CheckpointError);
  });
});
