/**
 * onnxruntime-web's WebGPU provider on our graph in ONNX's operators. Parameters, accumulators and the loss stay on the
 * device, so that steps can be queued.
 */
import * as ort from 'onnxruntime-web/webgpu';
import { parameterLayout } from '../../core/model/layout.ts';
import { batchArrays } from '../../engine/feeds.ts';
import { readFloats } from '../../engine/gpu/read-back.ts';
import { GraphBuilder } from '../../engine/graph/ir.ts';
import { gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from '../../engine/graph/llama.ts';
import { writeOnnx } from '../../engine/graph/onnx.ts';
import { sharedContext } from '../../engine/web-device.ts';
import type { Contender, ContenderModule, Surroundings } from '../contender.ts';
import { countOperators } from '../count-operators.ts';

/** A session whose nodes all run on the device; one that cannot is an error and not a silent copy to the processor. */
export async function createOrtSession(
  model: Uint8Array,
  device: GPUDevice,
  { onnxruntime }: Surroundings,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<ort.InferenceSession> {
  ort.env.wasm.wasmPaths = onnxruntime;
  ort.env.wasm.numThreads = 1;
  return ort.InferenceSession.create(model, {
    executionProviders: [{ name: 'webgpu', device }],
    extra: { session: { disable_cpu_ep_fallback: '1' } },
    ...options,
  });
}

export interface Resident {
  readonly buffer: GPUBuffer;
  /** Elements. */
  readonly size: number;
  readonly tensor: ort.Tensor;
}

const contender = (surroundings: Surroundings): Contender => ({
  async train({ config, sequences, length, precision, parameters, batch }) {
    if (precision !== 'fp32') throw new Error('the graph is written in fp32');
    const context = await sharedContext();
    const { device, buffers } = context;
    const graph = trainingGraph({ config, sequences, length });
    const session = await createOrtSession(writeOnnx(graph), device, surroundings);
    const { parameters: specs } = parameterLayout(config);
    const resident = (dims: readonly number[]): Resident => {
      const size = dims.reduce((a, b) => a * b, 1);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = buffers.make(4 * size, usage);
      return { buffer, size, tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims }) };
    };
    const weights = specs.map(({ shape, offset, size }) => {
      const made = resident(shape);
      device.queue.writeBuffer(made.buffer, 0, parameters, offset, size);
      return made;
    });
    // Two in turn: an operator must not write what another still reads.
    const accumulators = [0, 1].map(() => specs.map(({ shape }) => resident(shape)));
    const named = (tensors: readonly Resident[], nameOf: (parameter: string) => string) =>
      Object.fromEntries(specs.map(({ name }, i) => [nameOf(name), tensors[i]!.tensor]));
    const loss = resident([1]);
    const rows = sequences * length;
    let current = 0;
    let accumulated = 0;
    return {
      nodes: countOperators(graph),
      async steps(count) {
        let predicted = 0;
        for (let step = 0; step < count; step++) {
          const arrays = batchArrays(batch, { sequences, length, vocabSize: config.vocabSize });
          ({ predicted } = arrays);
          await session.run(
            {
              ...named(weights, (name) => name),
              ...named(accumulators[current]!, gradientInput),
              [INPUT.tokens]: new ort.Tensor('int64', arrays.tokens, [rows, 1]),
              [INPUT.targets]: new ort.Tensor('int32', arrays.targets, [rows, 1]),
              [INPUT.counts]: new ort.Tensor('float32', arrays.counts, [rows, 1]),
            },
            { [LOSS]: loss.tensor, ...named(accumulators[1 - current]!, gradientOutput) },
          );
          current = 1 - current;
          accumulated += predicted;
        }
        return (await readFloats(context, [loss]))[0]! / predicted;
      },
      async takeGradient() {
        const gradient = await readFloats(context, accumulators[current]!);
        for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! / accumulated;
        const encoder = device.createCommandEncoder();
        for (const { buffer } of accumulators[current]!) encoder.clearBuffer(buffer);
        device.queue.submit([encoder.finish()]);
        accumulated = 0;
        return gradient;
      },
    };
  },

  async matmul({ m, k, n }, precision) {
    if (precision !== 'fp32') throw new Error('the graph is written in fp32');
    const { device, buffers } = await sharedContext();
    const g = new GraphBuilder();
    const model = writeOnnx({ c: g.matmul(g.input('a', [m, k]), g.input('b', [k, n])) });
    const session = await createOrtSession(model, device, surroundings);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const tensor = (...dims: number[]): ort.Tensor =>
      ort.Tensor.fromGpuBuffer(buffers.make(4 * dims[0]! * dims[1]!, usage), { dataType: 'float32', dims });
    const feeds = { a: tensor(m, k), b: tensor(k, n) };
    const fetches = { c: tensor(m, n) };
    return async (count) => {
      for (let i = 0; i < count; i++) await session.run(feeds, fetches);
      await device.queue.onSubmittedWorkDone();
    };
  },
});

export const createContender: ContenderModule['createContender'] = contender;
