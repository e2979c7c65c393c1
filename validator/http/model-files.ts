/** The newest parameters as the files that `transformers` loads: the ones that `gauntlet export` writes. */
import { CheckpointError } from '../../core/model/checkpoint.ts';
import { parameterBytes } from '../../core/lockstep/parameters.ts';
import {
  describingFiles,
  MODEL_FILES,
  TOKENIZER_FILE,
  WEIGHTS_FILE,
  weightsHeader,
} from '../../core/model/hf-export.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { BlobReader } from './blobs.ts';
import { problemText, shortened } from './problems.ts';
import { rangedResponse } from './ranged.ts';
import type { ValidatorService } from './validator-service.ts';

const PART_BYTES = 256 * 1024;
/** A download keeps the parameters it began with: a slow one holds a model's memory for longer than a window. */
const MAX_DOWNLOADS = 16;

export interface ModelFiles {
  /** @throws ProblemError `unknown-route` for another name, `too-many-requests`, `range-not-satisfiable` */
  respond(name: string, request: Request): Promise<Response>;
}

/** Bytes [start, end) of parts that lie one after another, copied as they are asked for. */
function streamOf(
  parts: readonly Uint8Array[],
  start: number,
  end: number,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  let at = start;
  const next = (): Uint8Array => {
    let begin = 0;
    for (const part of parts) {
      if (at < begin + part.length) return part.slice(at - begin, Math.min(at + PART_BYTES, end) - begin);
      begin += part.length;
    }
    throw new RangeError(`byte ${at} of ${begin}`);
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const bytes = next();
        at += bytes.length;
        controller.enqueue(bytes);
        if (at < end) return;
        controller.close();
        onEnd();
      },
      cancel: onEnd,
    },
    { highWaterMark: 0 },
  );
}

export function createModelFiles(service: Pick<ValidatorService, 'manifest' | 'model'>, blobs: BlobReader): ModelFiles {
  let texts: Promise<ReadonlyMap<string, string>> | undefined;
  let downloads = 0;

  /** They are the same as long as a run lasts. */
  async function describe(): Promise<ReadonlyMap<string, string>> {
    const { model, tokenizer } = service.manifest().manifest;
    const stream = await blobs.stream(tokenizer.sha256, 0, tokenizer.bytes);
    if (!stream) throw new CheckpointError('the tokenizer is missing');
    return describingFiles(model, new Uint8Array(await new Response(stream).arrayBuffer()));
  }

  async function weights(request: Request): Promise<Response> {
    const { root, parameters } = await service.model();
    const parts = [weightsHeader(service.manifest().manifest.model), parameterBytes(parameters)];
    const response = await rangedResponse(
      {
        size: parts.reduce((sum, { length }) => sum + length, 0),
        name: root,
        headers: {
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename="${WEIGHTS_FILE}"`,
          // No transformation: a length is promised.
          'cache-control': 'no-cache, no-transform',
        },
        stream: (start, end) => {
          if (downloads >= MAX_DOWNLOADS) {
            throw new ProblemError('too-many-requests', 'Too many download the model now: try again in a minute.');
          }
          downloads++;
          return Promise.resolve(streamOf(parts, start, end, () => downloads--));
        },
      },
      request,
    );
    return response!;
  }

  return {
    async respond(name, request) {
      if (name === WEIGHTS_FILE) return weights(request);
      const headers = {
        'content-type': 'application/json',
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'no-cache',
      };
      if (name === TOKENIZER_FILE) {
        const { sha256, bytes: size } = service.manifest().manifest.tokenizer;
        const stream = (start: number, end: number) => blobs.stream(sha256, start, end);
        const response = await rangedResponse({ size, name: sha256, headers, stream }, request);
        if (!response) throw new CheckpointError('the tokenizer is missing');
        return response;
      }
      texts ??= describe().catch((error: unknown) => {
        texts = undefined;
        throw error;
      });
      const text = (await texts).get(name);
      if (text === undefined) {
        throw new ProblemError(
          'unknown-route',
          `The newest model has no file of the name ${shortened(name)}; /docs lists them.`,
        );
      }
      return new Response(request.method === 'HEAD' ? null : text, { headers });
    },
  };
}

/** Documentation of the route, which is not one of the JSON ones. */
export const modelFilePath = {
  get: {
    summary: 'The newest parameters as a folder for `transformers`, a file at a time',
    parameters: [
      {
        name: 'file',
        in: 'path' as const,
        required: true,
        schema: {
          type: 'string' as const,
          enum: [...MODEL_FILES],
        },
      },
    ],
    responses: {
      200: { description: 'The file; the weights also by one range. Their ETag is the state root' },
      206: { description: 'The range asked for' },
      304: { description: 'The client has it' },
      404: { description: problemText('unknown-route') },
      416: { description: problemText('range-not-satisfiable') },
      429: { description: problemText('too-many-requests') },
    },
  },
};
