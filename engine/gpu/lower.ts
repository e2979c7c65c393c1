/** Which kernels an operator becomes. */
import type { Value } from '../graph/ir.ts';
import type { Kernel, Lowering } from './kernel.ts';
import { lowerAttention, lowerAttentionGrad } from './kernels/attention.ts';
import { lowerCrossEntropy, lowerReduceSum } from './kernels/cross-entropy.ts';
import { lowerGather, lowerScatterAdd } from './kernels/embedding.ts';
import { lowerGemm } from './kernels/gemm.ts';
import { lowerBinary, lowerRotate, lowerSwiGlu, lowerSwiGluGrad } from './kernels/pointwise.ts';
import { lowerRmsNorm, lowerRmsNormGrad, lowerRmsNormWeightGrad } from './kernels/rms-norm.ts';

/** Inputs whose memory the operator's result may take over, element by element, if nobody else needs it. */
export function inPlaceCandidates({ operator, inputs }: Value): readonly (Value | undefined)[] {
  switch (operator.kind) {
    case 'Gemm':
      return [inputs[2]];
    case 'RmsNormGrad':
      return [inputs[4]];
    case 'RmsNormWeightGrad':
      return [inputs[3]];
    case 'ScatterAdd':
    case 'Rotate':
    case 'SwiGluGrad':
      return [inputs[0]];
    case 'Part':
      // The gradient of the logits, which its operator writes where it has read them.
      return inputs[0]!.operator.kind === 'CrossEntropy' ? [inputs[0]!.inputs[0]] : [];
    default:
      return [];
  }
}

/** Values that are another view of their input's memory. */
export function isAlias({ operator }: Value): boolean {
  return operator.kind === 'Reshape';
}

/** @throws Error for an operator that only onnxruntime has kernels for */
export function lower(value: Value, lowering: Lowering): Kernel[] {
  switch (value.operator.kind) {
    case 'input':
    case 'constant':
    case 'Part':
    case 'Reshape':
      return [];
    case 'Gemm':
      return lowerGemm(value, lowering);
    case 'RmsNorm':
      return lowerRmsNorm(value, lowering);
    case 'RmsNormGrad':
      return lowerRmsNormGrad(value, lowering);
    case 'RmsNormWeightGrad':
      return lowerRmsNormWeightGrad(value, lowering);
    case 'Rotate':
      return lowerRotate(value, lowering);
    case 'Attention':
      return lowerAttention(value, lowering);
    case 'AttentionGrad':
      return lowerAttentionGrad(value, lowering);
    case 'SwiGlu':
      return lowerSwiGlu(value, lowering);
    case 'SwiGluGrad':
      return lowerSwiGluGrad(value, lowering);
    case 'CrossEntropy':
      return lowerCrossEntropy(value, lowering);
    case 'ReduceSum':
      return lowerReduceSum(value, lowering);
    case 'Gather':
      return lowerGather(value, lowering);
    case 'ScatterAdd':
      return lowerScatterAdd(value, lowering);
    case 'Add':
    case 'Mul':
      return lowerBinary(value, lowering);
    default:
      throw new Error(`${value.operator.kind} has no kernel of its own: it runs on onnxruntime`);
  }
}
