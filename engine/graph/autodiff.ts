/**
 * Reverse-mode differentiation on the IR: the derivative of a graph is a graph. Gradients of a value that is used more
 * than once are added up; where a gradient is to be added to an accumulator anyway, the addition is folded into the
 * operator that makes it.
 */
import { sizeOf, type GraphBuilder, type Value } from './ir.ts';

/** Sums `gradient` over the axes along which `shape` was broadcast. */
function sumTo(g: GraphBuilder, gradient: Value, shape: readonly number[]): Value {
  if (gradient.shape.join() === shape.join()) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && gradient.shape[axis] !== 1));
  return g.reshape(axes.length > 0 ? g.reduce('ReduceSum', gradient, axes) : gradient, shape);
}

function swapLastTwo(g: GraphBuilder, a: Value): Value {
  const axes = a.shape.map((_, axis) => axis);
  const last = axes.length - 1;
  return g.transpose(a, [...axes.slice(0, -2), last, last - 1]);
}

/** The gradients of an operator's inputs, undefined where there is none (integers, constants). */
function inputGradients(g: GraphBuilder, value: Value, gradient: Value): (Value | undefined)[] {
  const { operator, inputs } = value;
  const [a, b] = inputs as [Value, Value];
  switch (operator.kind) {
    case 'MatMul':
      return [g.matmul(gradient, swapLastTwo(g, b)), g.matmul(swapLastTwo(g, a), gradient)];
    case 'Gemm': {
      const { transA, transB } = operator;
      const { alpha } = operator;
      const da = transA
        ? g.gemm(b, gradient, { transA: transB, transB: true, alpha })
        : g.gemm(gradient, b, { transB: !transB, alpha });
      const db = transB
        ? g.gemm(gradient, a, { transA: true, transB: transA, alpha })
        : g.gemm(a, gradient, { transA: !transA, alpha });
      return [da, db, ...(inputs[2] ? [gradient] : [])];
    }
    case 'Add':
      return [sumTo(g, gradient, a.shape), sumTo(g, gradient, b.shape)];
    case 'Sub':
      return [sumTo(g, gradient, a.shape), g.unary('Neg', sumTo(g, gradient, b.shape))];
    case 'Mul':
      return [sumTo(g, g.mul(gradient, b), a.shape), sumTo(g, g.mul(gradient, a), b.shape)];
    case 'Div': {
      const da = g.div(gradient, b);
      return [sumTo(g, da, a.shape), g.unary('Neg', sumTo(g, g.mul(da, value), b.shape))];
    }
    case 'Neg':
      return [g.unary('Neg', gradient)];
    case 'Sqrt':
      return [g.div(gradient, g.add(value, value))];
    case 'Exp':
      return [g.mul(gradient, value)];
    case 'Log':
      return [g.div(gradient, a)];
    case 'Sigmoid':
      return [g.mul(gradient, g.sub(value, g.mul(value, value)))];
    case 'Softmax': {
      const weighted = g.mul(gradient, value);
      const total = g.reduce('ReduceSum', weighted, [value.shape.length - 1]);
      return [g.sub(weighted, g.mul(value, total))];
    }
    case 'ReduceSum':
      return [g.expand(gradient, a.shape)];
    case 'Reshape':
      return [g.reshape(gradient, a.shape)];
    case 'Expand':
      return [sumTo(g, gradient, a.shape)];
    case 'Transpose': {
      const inverse = operator.permutation.map((_, axis) => operator.permutation.indexOf(axis));
      return [g.transpose(gradient, inverse)];
    }
    case 'Gather':
      return [g.scatterAdd(g.constant(new Float32Array(sizeOf(a.shape)), a.shape), b, gradient), undefined];
    // The maximum is only subtracted and added back (cross-entropy): its gradient cancels, so it counts as constant.
    case 'ReduceMax':
    case 'Equals':
    case 'input':
    case 'constant':
      return inputs.map(() => undefined);
    case 'RmsNorm': {
      const inverse = g.part(value, 0, [a.shape[0]!, 1]);
      return [g.rmsNormGrad(a, b, inverse, gradient), g.rmsNormWeightGrad(a, inverse, gradient)];
    }
    case 'Rotate':
      return [g.rotate(gradient, b, inputs[2]!, operator.attention, !operator.inverse), undefined, undefined];
    case 'Attention':
      return [g.attentionGrad(a, value, gradient, operator.attention)];
    case 'SwiGlu':
      return [g.swiGluGrad(a, gradient)];
    case 'CrossEntropy': {
      const ofLogits = g.part(value, 0, a.shape);
      return [isOnes(gradient) ? ofLogits : g.mul(ofLogits, gradient), undefined, undefined];
    }
    case 'ScatterAdd':
    case 'RmsNormGrad':
    case 'RmsNormWeightGrad':
    case 'AttentionGrad':
    case 'SwiGluGrad':
    case 'Part':
      throw new Error(`${operator.kind} is not differentiated: it only appears in gradients`);
    default:
      return operator satisfies never;
  }
}

/** A gradient that changes nothing: ones, broadcast. */
function isOnes({ operator, inputs }: Value): boolean {
  if (operator.kind === 'Expand' || operator.kind === 'Reshape') return isOnes(inputs[0]!);
  return operator.kind === 'constant' && operator.data.every((value) => value === 1);
}

/** base + alpha · term, folded into the term's own operator where that has an addend. */
function addTo(g: GraphBuilder, base: Value, term: Value, alpha = 1): Value {
  const { operator, inputs } = term;
  const [a, b, c, d] = inputs as [Value, Value, Value, Value];
  if (operator.kind === 'Gemm' && inputs.length === 2) {
    return g.gemm(a, b, { ...operator, alpha: alpha * operator.alpha }, base);
  }
  if (operator.kind === 'ScatterAdd' && a.operator.kind === 'constant') {
    return g.scatterAdd(base, b, c, alpha * operator.alpha);
  }
  if (operator.kind === 'RmsNormWeightGrad' && inputs.length === 3) {
    return g.rmsNormWeightGrad(a, b, c, alpha * operator.alpha, base);
  }
  if (operator.kind === 'RmsNormGrad' && inputs.length === 4 && alpha === 1) {
    return g.rmsNormGrad(a, b, c, d, base);
  }
  return g.add(base, alpha === 1 ? term : g.mul(term, g.scalar(alpha)));
}

export interface Accumulated {
  /** What is differentiated by: a leaf, whatever it was computed from itself. */
  readonly parameter: Value;
  /** Same shape: what the gradient is added to. Without it the gradient itself is given. */
  readonly accumulator?: Value;
}

/**
 * For each parameter, `accumulator` + ∂output/∂parameter.
 *
 * @param gradient of the output; a scalar's is 1
 * @param scale what the gradients are larger by than they should be, and accumulated without (loss scaling)
 * @throws RangeError when no gradient is given and the output is not a scalar, or a parameter without an accumulator
 *   has no gradient
 */
export function accumulateGradients(
  g: GraphBuilder,
  output: Value,
  wanted: readonly Accumulated[],
  { gradient: outer, scale = 1 }: { gradient?: Value; scale?: number } = {},
): Value[] {
  if (!outer && sizeOf(output.shape) !== 1) throw new RangeError('only a scalar has a gradient');
  const leaves = new Set(wanted.map(({ parameter }) => parameter));
  const needed = dependents(output, leaves);
  const terms = new Map<Value, Value[]>([[output, [outer ?? g.constant(Float32Array.of(1), output.shape)]]]);
  for (const value of [...needed].sort((a, b) => b.id - a.id)) {
    const own = terms.get(value);
    if (!own || leaves.has(value) || value.operator.kind === 'input') continue;
    const gradients = inputGradients(
      g,
      value,
      own.reduce((sum, term) => addTo(g, sum, term)),
    );
    for (const [i, input] of value.inputs.entries()) {
      const gradient = gradients[i];
      if (!gradient || !needed.has(input)) continue;
      const list = terms.get(input);
      if (list) list.push(gradient);
      else terms.set(input, [gradient]);
    }
  }
  return wanted.map(({ parameter, accumulator }) => {
    const own = terms.get(parameter) ?? [];
    if (accumulator) return own.reduce((sum, term) => addTo(g, sum, term, 1 / scale), accumulator);
    if (own.length === 0) throw new RangeError('the output does not depend on a parameter');
    return own.reduce((sum, term) => addTo(g, sum, term));
  });
}

/** Every value that `output` is computed from and that depends on one of `sources`. */
function dependents(output: Value, sources: ReadonlySet<Value>): Set<Value> {
  const known = new Map<Value, boolean>();
  // Iterative: a deep model's graph is deeper than the call stack.
  const stack = [output];
  while (stack.length > 0) {
    const value = stack.at(-1)!;
    const pending = sources.has(value) ? [] : value.inputs.filter((input) => !known.has(input));
    if (!known.has(value) && pending.length > 0) {
      stack.push(...pending);
      continue;
    }
    stack.pop();
    known.set(value, sources.has(value) || value.inputs.some((input) => known.get(input) === true));
  }
  return new Set([...known].filter(([, depends]) => depends).map(([value]) => value));
}
