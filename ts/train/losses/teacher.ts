import { SeineError } from '../../core/errors.ts';
import { evenWeights, float32, type Loss, zeroed } from './loss.ts';

/** Mean squared distance of the scores to a teacher's, over the documents that have one. */
export function mse(): Loss {
  return {
    feeds({ lists, size, scores }) {
      const dims = [lists, size];
      return { scores: float32(zeroed(scores), dims), weights: float32(evenWeights(scores), dims) };
    },
    emit(net, { own }, input) {
      const shape = own.shape as number[];
      const distance = net.sub(own, input('scores', shape));
      return net.total(net.mul(input('weights', shape), net.mul(distance, distance)));
    },
  };
}

/**
 * Mean of 1 - cosine between the vectors of a batch's texts and those of a teacher of the same dimension; texts for
 * which the teacher's vector is 0 do not count.
 */
export function cosine(): Loss {
  return {
    feeds({ lists, size, vectors }) {
      if (vectors === undefined) {
        throw new SeineError('ERR_INTERNAL', 'The loss cosine should be given the vectors of a teacher.');
      }
      const dim = vectors.queries.length / lists;
      const count = countVectors(vectors.queries, dim) + countVectors(vectors.documents, dim);
      const share = 1 / Math.max(1, count);
      return {
        queries: float32(
          vectors.queries.map((value) => share * value),
          [lists, dim],
        ),
        documents: float32(
          vectors.documents.map((value) => share * value),
          [lists * size, dim],
        ),
        greatest: float32(Float32Array.of(count > 0 ? 1 : 0), []),
      };
    },
    emit(net, { vectors }, input) {
      if (vectors === undefined) {
        throw new SeineError('ERR_INTERNAL', 'The loss cosine should be given a bi-encoder.');
      }
      const agreement = (name: 'queries' | 'documents') =>
        net.total(net.mul(vectors[name], input(name, vectors[name].shape as number[])));
      return net.sub(input('greatest', []), net.add(agreement('queries'), agreement('documents')));
    },
  };
}

/** How many vectors are not 0. */
function countVectors(vectors: Float32Array, dim: number): number {
  let count = 0;
  for (let at = 0; at < vectors.length; at += dim) {
    if (vectors.subarray(at, at + dim).some((value) => value !== 0)) count++;
  }
  return count;
}
