/**
 * Evaluates a graph in plain loops and double precision: slow, obvious, and the oracle of kernels and of derivative rules.
 * Integers are numbers here. Nothing but tests imports it.
 */
import { reachable, sizeOf, type AttentionShape, type Value } from './ir.ts';

type Vector = Float64Array<ArrayBuffer>;

/** Row-major place in an operand that belongs to element i of the shape it is broadcast to. */
function broadcastPlace(i: number, shape: readonly number[], operand: readonly number[]): number {
  const missing = shape.length - operand.length;
  let place = 0;
  let stride = 1;
  let rest = i;
  for (let axis = shape.length - 1; axis >= missing; axis--) {
    const size = operand[axis - missing]!;
    if (size !== 1) place += (rest % shape[axis]!) * stride;
    stride *= size;
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}

function generate(shape: readonly number[], element: (i: number) => number): Vector {
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => element(i));
}

/** [rows, columns] of Σ left(row, k) · right(k, column). */
function product(
  rows: number,
  depth: number,
  columns: number,
  left: (row: number, k: number) => number,
  right: (k: number, column: number) => number,
): Vector {
  return generate([rows, columns], (i) => {
    const row = Math.floor(i / columns);
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += left(row, k) * right(k, i % columns);
    return sum;
  });
}

/** Sums, or the largest, of all elements that would have the same place if the result were broadcast back. */
function reduce(kind: 'ReduceSum' | 'ReduceMax', a: Vector, from: readonly number[], to: readonly number[]): Vector {
  const result = new Float64Array(sizeOf(to)).fill(kind === 'ReduceSum' ? 0 : -Infinity);
  for (const [i, element] of a.entries()) {
    const place = broadcastPlace(i, from, to);
    result[place] = kind === 'ReduceSum' ? result[place]! + element : Math.max(result[place]!, element);
  }
  return result;
}

function transpose(a: Vector, from: readonly number[], permutation: readonly number[]): Vector {
  const strides = from.map((_, axis) => sizeOf(from.slice(axis + 1)));
  const shape = permutation.map((axis) => from[axis]!);
  return generate(shape, (i) => {
    let place = 0;
    let rest = i;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (rest % shape[axis]!) * strides[permutation[axis]!]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return a[place]!;
  });
}

/** log Σ exp. */
function logSumExp(row: Vector): number {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return most + Math.log(row.reduce((sum, element) => sum + Math.exp(element - most), 0));
}

function softmax(row: Vector): Vector {
  const logSum = logSumExp(row);
  return row.map((element) => Math.exp(element - logSum));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The rows of a row-major matrix. */
function rowsOf(matrix: Vector, width: number): Vector[] {
  return Array.from({ length: matrix.length / width }, (_, row) => matrix.subarray(row * width, (row + 1) * width));
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, element, i) => sum + element * b[i]!, 0);
}

/** target += factor · source */
function addScaled(target: Vector, factor: number, source: Vector): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[i]!;
}

/** Views of one query's attention: what it sees is its own and the earlier tokens of its sequence. */
interface Query {
  /** Number of (row, head), row-major. */
  readonly at: number;
  readonly query: Vector;
  readonly keys: readonly Vector[];
  readonly values: readonly Vector[];
}

function queriesOf(projections: Vector, { length, heads, kvHeads, headDim }: AttentionShape): Query[] {
  const rows = rowsOf(projections, (heads + 2 * kvHeads) * headDim).map((row) => rowsOf(row, headDim));
  return rows.flatMap((row, r) =>
    Array.from({ length: heads }, (_, head) => {
      const seen = rows.slice(r - (r % length), r + 1);
      const shared = Math.floor(head / (heads / kvHeads));
      return {
        at: r * heads + head,
        query: row[head]!,
        keys: seen.map((other) => other[heads + shared]!),
        values: seen.map((other) => other[heads + kvHeads + shared]!),
      };
    }),
  );
}

function scoresOf({ query, keys }: Query): Vector {
  return Float64Array.from(keys, (key) => dot(query, key) / Math.sqrt(query.length));
}

/** Σ of the values, weighted by the softmax of q · k / √headDim. @returns mixed values and log Σ exp of the scores */
function attention(projections: Vector, shape: AttentionShape): [mixed: Vector, logSums: Vector] {
  const queries = queriesOf(projections, shape);
  const mixed = new Float64Array(queries.length * shape.headDim);
  for (const each of queries) {
    const result = mixed.subarray(each.at * shape.headDim, (each.at + 1) * shape.headDim);
    for (const [s, share] of softmax(scoresOf(each)).entries()) addScaled(result, share, each.values[s]!);
  }
  return [mixed, Float64Array.from(queries, (each) => logSumExp(scoresOf(each)))];
}

/**
 * With shares p = softmax(z), z_s = q · k_s / √d and o = Σ p_s · v_s, whose gradient is g: dv_s = p_s · g;
 * ∂p_s/∂z_u = p_s · (δ_su - p_u), so dz_u = Σ_s (g · v_s) · p_s · (δ_su - p_u); dq = Σ dz_u · k_u / √d;
 * dk_u = dz_u · q / √d. The forward results are computed again, not taken over.
 */
function attentionGrad(projections: Vector, gradient: Vector, shape: AttentionShape): Vector {
  const result = new Float64Array(projections.length);
  const targets = queriesOf(result, shape);
  for (const [i, each] of queriesOf(projections, shape).entries()) {
    const target = targets[i]!;
    const outer = gradient.subarray(each.at * shape.headDim, (each.at + 1) * shape.headDim);
    const shares = softmax(scoresOf(each));
    const pulls = each.values.map((value) => dot(outer, value));
    for (const [u, share] of shares.entries()) {
      const along = pulls.reduce((sum, pull, s) => sum + pull * shares[s]! * ((s === u ? 1 : 0) - share), 0);
      const slope = along / Math.sqrt(shape.headDim);
      addScaled(target.query, slope, each.keys[u]!);
      addScaled(target.keys[u]!, slope, each.query);
      addScaled(target.values[u]!, share, outer);
    }
  }
  return result;
}

/** Pairs (i, i + headDim / 2) of every query and key turned by the angle of their token; values as they are. */
function rotate(projections: Vector, cos: Vector, sin: Vector, shape: AttentionShape, inverse: boolean): Vector {
  const { length, heads, kvHeads, headDim } = shape;
  const half = headDim / 2;
  const result = projections.slice();
  for (const [r, row] of rowsOf(result, (heads + 2 * kvHeads) * headDim).entries()) {
    for (const head of rowsOf(row, headDim).slice(0, heads + kvHeads)) {
      for (let pair = 0; pair < half; pair++) {
        const angle = (r % length) * half + pair;
        const [c, s] = [cos[angle]!, inverse ? -sin[angle]! : sin[angle]!];
        const [first, second] = [head[pair]!, head[pair + half]!];
        head[pair] = first * c - second * s;
        head[pair + half] = second * c + first * s;
      }
    }
  }
  return result;
}

/** ∂y_i/∂x_j of y = w·x·r with r = (mean x² + ε)^(-1/2), so ∂r/∂x_j = -r³·x_j / d, row by row. */
function rmsNormGrad(x: Vector, weight: Vector, inverse: Vector, gradient: Vector): Vector {
  const width = weight.length;
  return generate([x.length], (at) => {
    const j = at % width;
    const start = at - j;
    const r = inverse[start / width]!;
    let sum = 0;
    for (let i = 0; i < width; i++) {
      const slope = weight[i]! * ((i === j ? r : 0) - (x[start + i]! * r ** 3 * x[at]!) / width);
      sum += gradient[start + i]! * slope;
    }
    return sum;
  });
}

/** [rows, 2·width] from gate and up of each element i of a [rows, width] result. */
function gateAndUp(gateUp: Vector, i: number, width: number): [gate: number, up: number] {
  const start = Math.floor(i / width) * 2 * width + (i % width);
  return [gateUp[start]!, gateUp[start + width]!];
}

/** An operator's result, followed by its parts. @param inputs the values of its inputs */
function resultsOf(value: Value, inputs: readonly Vector[]): Vector[] {
  const { operator, shape } = value;
  const [a, b, c, d, e] = inputs as [Vector, Vector, Vector, Vector, Vector];
  const shapes = value.inputs.map((input) => input.shape);
  const width = shape.at(-1)!;
  const binary = (f: (x: number, y: number) => number): Vector[] => [
    generate(shape, (i) => f(a[broadcastPlace(i, shape, shapes[0]!)]!, b[broadcastPlace(i, shape, shapes[1]!)]!)),
  ];
  switch (operator.kind) {
    case 'constant':
      return [Float64Array.from(operator.data)];
    case 'MatMul': {
      const [n, k] = shapes[0]!.slice(-2) as [number, number];
      const blocks = rowsOf(a, n * k).map((left, i) => {
        const right = b.subarray(i * k * width, (i + 1) * k * width);
        return product(
          n,
          k,
          width,
          (row, at) => left[row * k + at]!,
          (at, column) => right[at * width + column]!,
        );
      });
      return [Float64Array.from(blocks.flatMap((block) => [...block]))];
    }
    case 'Gemm': {
      const { transA, transB, alpha } = operator;
      const [rows, columns] = shape as [number, number];
      const depth = transA ? shapes[0]![0]! : shapes[0]![1]!;
      const result = product(
        rows,
        depth,
        columns,
        (row, k) => a[transA ? k * rows + row : row * depth + k]!,
        (k, column) => b[transB ? column * depth + k : k * columns + column]!,
      );
      return [result.map((element, i) => alpha * element + (inputs[2] ? c[i]! : 0))];
    }
    case 'Add':
      return binary((x, y) => x + y);
    case 'Sub':
      return binary((x, y) => x - y);
    case 'Mul':
      return binary((x, y) => x * y);
    case 'Div':
      return binary((x, y) => x / y);
    case 'Equals':
      return binary((x, y) => (x === y ? 1 : 0));
    case 'Neg':
      return [a.map((x) => -x)];
    case 'Sqrt':
      return [a.map(Math.sqrt)];
    case 'Exp':
      return [a.map(Math.exp)];
    case 'Log':
      return [a.map(Math.log)];
    case 'Sigmoid':
      return [a.map(sigmoid)];
    case 'Softmax':
      return [Float64Array.from(rowsOf(a, width).flatMap((row) => [...softmax(row)]))];
    case 'ReduceSum':
    case 'ReduceMax':
      return [reduce(operator.kind, a, shapes[0]!, shape)];
    case 'Reshape':
      return [a];
    case 'Expand':
      return [generate(shape, (i) => a[broadcastPlace(i, shape, shapes[0]!)]!)];
    case 'Transpose':
      return [transpose(a, shapes[0]!, operator.permutation)];
    case 'Gather':
      return [generate(shape, (i) => a[b[Math.floor(i / width)]! * width + (i % width)]!)];
    case 'ScatterAdd': {
      const result = a.slice();
      for (const [i, update] of c.entries()) {
        result[b[Math.floor(i / width)]! * width + (i % width)]! += operator.alpha * update;
      }
      return [result];
    }
    case 'RmsNorm': {
      const inverse = Float64Array.from(rowsOf(a, width), (row) => (dot(row, row) / width + operator.epsilon) ** -0.5);
      return [a.map((x, i) => x * inverse[Math.floor(i / width)]! * b[i % width]!), inverse];
    }
    case 'RmsNormGrad':
      return [rmsNormGrad(a, b, c, d).map((element, i) => element + (inputs[4] ? e[i]! : 0))];
    case 'RmsNormWeightGrad': {
      // y_j = w_j · (x_j · r), in every row.
      const sums = reduce(
        'ReduceSum',
        a.map((x, i) => x * b[Math.floor(i / width)]! * c[i]!),
        shapes[0]!,
        [width],
      );
      return [sums.map((sum, i) => operator.alpha * sum + (inputs[3] ? d[i]! : 0))];
    }
    case 'Rotate':
      return [rotate(a, b, c, operator.attention, operator.inverse)];
    case 'Attention':
      return attention(a, operator.attention);
    case 'AttentionGrad':
      return [attentionGrad(a, d, operator.attention)];
    case 'SwiGlu':
      return [
        generate(shape, (i) => {
          const [gate, up] = gateAndUp(a, i, width);
          return gate * sigmoid(gate) * up;
        }),
      ];
    case 'SwiGluGrad': {
      // (x·σ(x))' = σ + x·σ·(1 - σ).
      const half = width / 2;
      return [
        generate(shape, (i) => {
          const at = Math.floor(i / width) * half + (i % half);
          const [gate, up] = gateAndUp(a, at, half);
          const share = sigmoid(gate);
          return b[at]! * (i % width < half ? (share + gate * share * (1 - share)) * up : gate * share);
        }),
      ];
    }
    case 'CrossEntropy': {
      const rows = rowsOf(a, shapes[0]![1]!);
      return [
        Float64Array.from(rows, (row, r) => c[r]! * (logSumExp(row) - row[b[r]!]!)),
        Float64Array.from(
          rows.flatMap((row, r) =>
            Array.from(softmax(row), (share, id) => operator.scale * c[r]! * (share - (id === b[r] ? 1 : 0))),
          ),
        ),
      ];
    }
    case 'input':
    case 'Part':
      throw new Error(`${operator.kind} is given, not computed`);
    default:
      return operator satisfies never;
  }
}

/**
 * The values of a graph's results.
 *
 * @param feeds what the graph's inputs hold, row-major
 * @param stored what is left of a value once it has been written to memory
 * @throws RangeError for an input that is not fed, or of another size
 */
export function evaluateGraph<Name extends string>(
  outputs: Readonly<Record<Name, Value>>,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  stored: (value: Value, data: Vector) => Vector = (_, data) => data,
): Record<Name, Vector> {
  const results = new Map<Value, Vector[]>();
  const evaluate = (value: Value): Vector[] => {
    const { operator, inputs } = value;
    if (operator.kind === 'input') return [Float64Array.from(feeds[value.name!] ?? [])];
    if (operator.kind === 'Part') return results.get(inputs[0]!)!.slice(1 + operator.index, 2 + operator.index);
    return resultsOf(
      value,
      inputs.map((input) => results.get(input)![0]!),
    );
  };
  for (const value of reachable(Object.values(outputs))) {
    const [result, ...parts] = evaluate(value);
    if (result?.length !== sizeOf(value.shape)) {
      throw new RangeError(
        `${result?.length ?? 0} values of ${value.name ?? value.operator.kind} [${value.shape.join()}]`,
      );
    }
    results.set(value, [stored(value, result), ...parts]);
  }
  const entries = Object.entries<Value>(outputs).map(([name, value]) => [name, results.get(value)![0]!] as const);
  return Object.fromEntries(entries) as Record<Name, Vector>;
}
