import type { Autodiff } from '../graph/autodiff.ts';
import { part } from '../graph/decoderOps.ts';
import { staticShape, type Tensor } from '../graph/graph.ts';
import type { FeatureScale } from '../models/featureWeights.ts';
import { scaled } from '../models/featureWeights.ts';
import type { TrainingGroup } from './trainingGroup.ts';

/**
 * Learning rate of the weights at its peak: that of a recipe is for the weights of a transformer, which are to change
 * little, while a feature begins at 0 and may come to count as much as differences of cosines do.
 */
export const FEATURE_RATE = 1e-3;

/** `[1 + features]` at the start: the similarity counts as it is, and features do not. */
export function firstWeights(features: readonly FeatureScale[]): Float32Array {
  return Float32Array.from({ length: 1 + features.length }, (_, i) => (i === 0 ? 1 : 0));
}

/** The features of a batch's documents, `[groups · size, features]`, scaled; 0 where they are not known. */
export function featureValues(
  groups: readonly TrainingGroup[],
  size: number,
  features: readonly FeatureScale[],
): Float32Array {
  const all = new Float32Array(groups.length * size * features.length);
  for (const [list, { documents, features: known }] of groups.entries()) {
    for (const [f, scale] of features.entries()) {
      const values = known?.[scale.attribute];
      for (const i of values === undefined ? [] : documents.keys()) {
        all[(list * size + i) * features.length + f] = scaled(values![i]!, scale);
      }
    }
  }
  return all;
}

/** `w₀ · similarity + Σ wᵢ · fᵢ`: of similarities `[lists, size]`, features `[lists · size, n]` and weights `[1 + n]`. */
export function weighFeatures(
  net: Autodiff,
  similarities: Tensor,
  features: Tensor,
  weights: Tensor,
): Tensor {
  const [lists, size] = staticShape(similarities.shape) as [number, number];
  const [, count] = staticShape(features.shape) as [number, number];
  const similarity = net.reshape(part(net, weights, 0, 0, 1), [1, 1]);
  const others = net.reshape(part(net, weights, 0, 1, 1 + count), [count, 1]);
  const column = net.reshape(similarities, [lists * size, 1]);
  const sum = net.add(net.matmul(column, similarity), net.matmul(features, others));
  return net.reshape(sum, [lists, size]);
}
