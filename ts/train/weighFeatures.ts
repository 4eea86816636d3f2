import type { Autodiff } from '../graph/autodiff.ts';
import { part } from '../graph/decoderOps.ts';
import { staticShape, type Tensor } from '../graph/graph.ts';
import type { FeatureScale } from '../models/featureWeights.ts';
import { scaled } from '../models/featureWeights.ts';
import type { TrainingGroup } from './trainingGroup.ts';

/**
 * How much a weight changes in a step of AdamW at the peak of the schedule, whatever the learning rate: that is for the
 * weights of a transformer, which are to change little, while a feature begins at 0 and may come to count as much as
 * differences of cosines do.
 */
const FEATURE_RATE = 1e-3;

/** What a feature's parameter is multiplied by to be its weight, at a learning rate. */
export const featureGain = (rate: number): number => FEATURE_RATE / rate;

/** `[1 + features]` at the start: the similarity counts as it is, and features do not. */
export function firstWeights(features: readonly FeatureScale[]): Float32Array {
  return Float32Array.from({ length: 1 + features.length }, (_, i) => (i === 0 ? 1 : 0));
}

/** The weights of similarity and features from their parameters, `[1 + features]`. */
export function learntWeights(parameters: Float32Array, gain: number): Float32Array {
  return parameters.map((value, i) => (i === 0 ? value : gain * value));
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

/**
 * `w₀ · similarity + Σ wᵢ · fᵢ`: of similarities `[lists, size]`, features `[lists · size, n]` and the parameters `[1 + n]`
 * of the weights (see `learntWeights`).
 */
export function weighFeatures(
  net: Autodiff,
  similarities: Tensor,
  features: Tensor,
  parameters: Tensor,
  gain: number,
): Tensor {
  const [lists, size] = staticShape(similarities.shape) as [number, number];
  const [, count] = staticShape(features.shape) as [number, number];
  const similarity = net.reshape(part(net, parameters, 0, 0, 1), [1, 1]);
  const others = net.scale(net.reshape(part(net, parameters, 0, 1, 1 + count), [count, 1]), gain);
  const column = net.reshape(similarities, [lists * size, 1]);
  const sum = net.add(net.matmul(column, similarity), net.matmul(features, others));
  return net.reshape(sum, [lists, size]);
}
