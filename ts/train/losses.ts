import type { Autodiff } from '../graph/autodiff.ts';
import { staticShape, type Tensor } from '../graph/graph.ts';

/**
 * Listwise loss: mean over lists of the cross entropy between target probabilities and the softmax of the scores,
 * both `[lists, documents]`. It differs from KL(targets || softmax) by the targets' entropy, a constant.
 */
export function listwiseLoss(net: Autodiff, scores: Tensor, targets: Tensor): Tensor {
  const [lists] = staticShape(scores.shape) as [number, number];
  return net.scale(net.total(net.mul(targets, net.logSoftmax(scores))), -1 / lists);
}

/** Graded relevance of a list as probabilities: gains `2^grade - 1`, normalised. All grades 0 give a uniform list. */
export function listTargets(grades: readonly number[]): Float32Array {
  const gains = grades.map((grade) => 2 ** Math.max(grade, 0) - 1);
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  return Float32Array.from(gains, (gain) => (total > 0 ? gain / total : 1 / gains.length));
}
