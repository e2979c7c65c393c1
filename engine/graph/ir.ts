/**
 * A small tensor IR: values with static shapes, made by the functions of a builder. Its primitive operators are those of
 * ONNX, so writing such a graph out is a translation word by word; its fused operators are what a transformer spends its
 * time in, one kernel each, for the executor in `engine/gpu`. What an operator's derivative is stands in `autodiff.ts`.
 */

export type DType = 'float32' | 'int32' | 'int64';

/** How the rows of the fused query-key-value projections lie: [B·T, (heads + 2·kvHeads)·headDim], queries first. */
export interface AttentionShape {
  /** Tokens T of a sequence. */
  readonly length: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Kernels of their own. A further result of an operator is its `Part`. */
type FusedOperator =
  /** x [n, d], weight [d] → x·weight / rms(x); part 0: 1 / rms(x), [n, 1]. */
  | { readonly kind: 'RmsNorm'; readonly epsilon: number }
  /** x, weight, 1 / rms(x), gradient and maybe an addend → gradient of x (+ addend). */
  | { readonly kind: 'RmsNormGrad' }
  /** x, 1 / rms(x), gradient and maybe an addend → alpha · gradient of the weight (+ addend). */
  | { readonly kind: 'RmsNormWeightGrad'; readonly alpha: number }
  /** projections, cos [T, headDim / 2], sin → the same with queries and keys rotated (backwards if inverse). */
  | { readonly kind: 'Rotate'; readonly attention: AttentionShape; readonly inverse: boolean }
  /** rotated projections → causal softmax attention [B·T, heads·headDim]; part 0: log Σ exp of scores, [B·T, heads]. */
  | { readonly kind: 'Attention'; readonly attention: AttentionShape }
  /** projections, attention's result, its part, gradient → gradient of the projections; part 0: scratch, [B·T, heads]. */
  | { readonly kind: 'AttentionGrad'; readonly attention: AttentionShape }
  /** [n, 2·d]: gate, then up → silu(gate)·up, [n, d]. */
  | { readonly kind: 'SwiGlu' }
  /** gate and up [n, 2·d], gradient [n, d] → gradient of gate and up. */
  | { readonly kind: 'SwiGluGrad' }
  /** logits [n, v], targets [n, 1], counts [n, 1] → losses [n, 1]; part 0: scale · gradient of their sum, [n, v]. */
  | { readonly kind: 'CrossEntropy'; readonly scale: number };

export type Operator =
  | FusedOperator
  /** A further result of the input's operator. */
  | { readonly kind: 'Part'; readonly index: number }
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly data: Float32Array | Int32Array }
  /** a · b of the last two axes; leading axes are equal. */
  | { readonly kind: 'MatMul' }
  /** alpha · op(a) · op(b) of matrices, plus c where there is a third input. */
  | { readonly kind: 'Gemm'; readonly transA: boolean; readonly transB: boolean; readonly alpha: number }
  | { readonly kind: 'Add' | 'Sub' | 'Mul' | 'Div' }
  | { readonly kind: 'Neg' | 'Sqrt' | 'Exp' | 'Log' | 'Sigmoid' }
  /** Over the last axis. */
  | { readonly kind: 'Softmax' }
  /** Axes stay as 1. */
  | { readonly kind: 'ReduceSum' | 'ReduceMax'; readonly axes: readonly number[] }
  | { readonly kind: 'Reshape' }
  | { readonly kind: 'Expand' }
  | { readonly kind: 'Transpose'; readonly permutation: readonly number[] }
  /** Rows of a matrix by number. */
  | { readonly kind: 'Gather' }
  /** 1 where two int32 tensors agree, else 0, as float32. */
  | { readonly kind: 'Equals' }
  /** inputs: base [rows, n], numbers [k, 1], updates [k, n]: adds alpha times each update to its row of the base. */
  | { readonly kind: 'ScatterAdd'; readonly alpha: number };

export interface Value {
  readonly id: number;
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Of graph inputs. */
  readonly name?: string;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** All values that the given ones are computed from, in the order they were made: each after its inputs. */
export function reachable(outputs: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  const stack = [...outputs];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    stack.push(...value.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The shape of two shapes broadcast against each other, as NumPy does it. @throws RangeError when they do not fit */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new RangeError(`shapes [${a.join()}] and [${b.join()}] do not broadcast`);
    return Math.max(x, y);
  });
}

function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RangeError(message);
}

/** Makes values. Ids ascend, so the order of making is an order of evaluation. */
export class GraphBuilder {
  #nextId = 0;

  #value(operator: Operator, inputs: readonly Value[], shape: readonly number[], dtype: DType = 'float32'): Value {
    return { id: this.#nextId++, operator, inputs, shape, dtype };
  }

  input(name: string, shape: readonly number[], dtype: DType = 'float32'): Value {
    return { id: this.#nextId++, operator: { kind: 'input' }, inputs: [], shape, dtype, name };
  }

  constant(data: Float32Array | Int32Array, shape: readonly number[]): Value {
    expect(data.length === sizeOf(shape), `${data.length} values for shape [${shape.join()}]`);
    return this.#value({ kind: 'constant', data }, [], shape, data instanceof Int32Array ? 'int32' : 'float32');
  }

  scalar(value: number): Value {
    return this.constant(Float32Array.of(value), [1]);
  }

  matmul(a: Value, b: Value): Value {
    const lead = a.shape.slice(0, -2);
    const [n, k] = a.shape.slice(-2) as [number, number];
    const [k2, m] = b.shape.slice(-2) as [number, number];
    expect(
      a.shape.length >= 2 &&
        a.shape.length === b.shape.length &&
        lead.join() === b.shape.slice(0, -2).join() &&
        k === k2,
      `MatMul of [${a.shape.join()}] and [${b.shape.join()}]`,
    );
    return this.#value({ kind: 'MatMul' }, [a, b], [...lead, n, m]);
  }

  gemm(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}, c?: Value): Value {
    expect(a.shape.length === 2 && b.shape.length === 2, 'Gemm is of matrices');
    const [n, k] = (transA ? a.shape.toReversed() : a.shape) as [number, number];
    const [k2, m] = (transB ? b.shape.toReversed() : b.shape) as [number, number];
    expect(k === k2, `Gemm of [${a.shape.join()}] and [${b.shape.join()}]`);
    // ONNX would broadcast it, but its gradient is not summed back.
    expect(!c || c.shape.join() === [n, m].join(), `Gemm of shape [${n},${m}] plus [${c?.shape.join() ?? ''}]`);
    return this.#value({ kind: 'Gemm', transA, transB, alpha }, c ? [a, b, c] : [a, b], [n, m]);
  }

  #binary(kind: 'Add' | 'Sub' | 'Mul' | 'Div', a: Value, b: Value): Value {
    return this.#value({ kind }, [a, b], broadcastShape(a.shape, b.shape));
  }

  add(a: Value, b: Value): Value {
    return this.#binary('Add', a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.#binary('Sub', a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.#binary('Mul', a, b);
  }

  div(a: Value, b: Value): Value {
    return this.#binary('Div', a, b);
  }

  unary(kind: 'Neg' | 'Sqrt' | 'Exp' | 'Log' | 'Sigmoid', a: Value): Value {
    return this.#value({ kind }, [a], a.shape);
  }

  softmax(a: Value): Value {
    return this.#value({ kind: 'Softmax' }, [a], a.shape);
  }

  reduce(kind: 'ReduceSum' | 'ReduceMax', a: Value, axes: readonly number[]): Value {
    // No axes would mean all of them to ONNX.
    expect(
      axes.length > 0 && axes.every((axis) => axis in a.shape),
      `${kind} of [${a.shape.join()}] over axes [${axes.join()}]`,
    );
    return this.#value(
      { kind, axes },
      [a],
      a.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
    );
  }

  reshape(a: Value, shape: readonly number[]): Value {
    expect(sizeOf(shape) === sizeOf(a.shape), `[${a.shape.join()}] reshaped to [${shape.join()}]`);
    return shape.join() === a.shape.join() ? a : this.#value({ kind: 'Reshape' }, [a], shape, a.dtype);
  }

  expand(a: Value, shape: readonly number[]): Value {
    expect(broadcastShape(a.shape, shape).join() === shape.join(), `[${a.shape.join()}] expanded to [${shape.join()}]`);
    return shape.join() === a.shape.join() ? a : this.#value({ kind: 'Expand' }, [a], shape);
  }

  transpose(a: Value, permutation: readonly number[]): Value {
    expect(
      permutation.toSorted((x, y) => x - y).join() === a.shape.map((_, axis) => axis).join(),
      `[${a.shape.join()}] transposed by [${permutation.join()}]`,
    );
    return this.#value(
      { kind: 'Transpose', permutation },
      [a],
      permutation.map((axis) => a.shape[axis]!),
    );
  }

  /** @param rows [k, 1] int64 row numbers of a matrix; a column, as scatterAdd takes them too */
  gather(a: Value, rows: Value): Value {
    expect(a.shape.length === 2 && rows.shape.length === 2 && rows.shape[1] === 1, 'Gather takes rows of a matrix');
    return this.#value({ kind: 'Gather' }, [a, rows], [rows.shape[0]!, a.shape[1]!]);
  }

  equals(a: Value, b: Value): Value {
    return this.#value({ kind: 'Equals' }, [a, b], broadcastShape(a.shape, b.shape));
  }

  /** @param rows [k, 1] int64 */
  scatterAdd(base: Value, rows: Value, updates: Value, alpha = 1): Value {
    expect(
      base.shape.length === 2 &&
        rows.shape.join() === [updates.shape[0], 1].join() &&
        updates.shape[1] === base.shape[1],
      `ScatterAdd of [${updates.shape.join()}] to rows [${rows.shape.join()}] of [${base.shape.join()}]`,
    );
    return this.#value({ kind: 'ScatterAdd', alpha }, [base, rows, updates], base.shape);
  }

  part(value: Value, index: number, shape: readonly number[]): Value {
    return this.#value({ kind: 'Part', index }, [value], shape);
  }

  rmsNorm(x: Value, weight: Value, epsilon: number): Value {
    expect(x.shape.length === 2 && weight.shape.join() === [x.shape[1]].join(), 'RmsNorm of the rows of a matrix');
    return this.#value({ kind: 'RmsNorm', epsilon }, [x, weight], x.shape);
  }

  rmsNormGrad(x: Value, weight: Value, inverse: Value, gradient: Value, addend?: Value): Value {
    return this.#value({ kind: 'RmsNormGrad' }, [x, weight, inverse, gradient, ...(addend ? [addend] : [])], x.shape);
  }

  rmsNormWeightGrad(x: Value, inverse: Value, gradient: Value, alpha = 1, addend?: Value): Value {
    const inputs = [x, inverse, gradient, ...(addend ? [addend] : [])];
    return this.#value({ kind: 'RmsNormWeightGrad', alpha }, inputs, [x.shape[1]!]);
  }

  rotate(projections: Value, cos: Value, sin: Value, attention: AttentionShape, inverse = false): Value {
    this.#expectProjections(projections, attention);
    const table = [attention.length, attention.headDim / 2].join();
    expect(cos.shape.join() === table && sin.shape.join() === table, `rotary tables of other shape than [${table}]`);
    return this.#value({ kind: 'Rotate', attention, inverse }, [projections, cos, sin], projections.shape);
  }

  attention(projections: Value, attention: AttentionShape): Value {
    this.#expectProjections(projections, attention);
    const shape = [projections.shape[0]!, attention.heads * attention.headDim];
    return this.#value({ kind: 'Attention', attention }, [projections], shape);
  }

  /** @param mixed what `attention` of the projections gave */
  attentionGrad(projections: Value, mixed: Value, gradient: Value, attention: AttentionShape): Value {
    const logSums = this.part(mixed, 0, [mixed.shape[0]!, attention.heads]);
    const inputs = [projections, mixed, logSums, gradient];
    return this.#value({ kind: 'AttentionGrad', attention }, inputs, projections.shape);
  }

  #expectProjections(projections: Value, { length, heads, kvHeads, headDim }: AttentionShape): void {
    const [rows, width] = projections.shape;
    expect(
      projections.shape.length === 2 && rows! % length === 0 && width === (heads + 2 * kvHeads) * headDim,
      `projections of [${projections.shape.join()}] for ${heads} + 2 x ${kvHeads} heads of ${headDim}`,
    );
  }

  swiGlu(gateUp: Value): Value {
    const [rows, width] = gateUp.shape as [number, number];
    expect(gateUp.shape.length === 2 && width % 2 === 0, `SwiGLU of [${gateUp.shape.join()}]`);
    return this.#value({ kind: 'SwiGlu' }, [gateUp], [rows, width / 2]);
  }

  swiGluGrad(gateUp: Value, gradient: Value): Value {
    return this.#value({ kind: 'SwiGluGrad' }, [gateUp, gradient], gateUp.shape);
  }

  /** @param scale of the gradient, which small half-precision floats need @returns losses [n, 1] */
  crossEntropy(logits: Value, targets: Value, counts: Value, scale = 1): Value {
    const column = [logits.shape[0], 1].join();
    expect(targets.shape.join() === column && counts.shape.join() === column, 'a target and a count for each row');
    return this.#value({ kind: 'CrossEntropy', scale }, [logits, targets, counts], [logits.shape[0]!, 1]);
  }
}
