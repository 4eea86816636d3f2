import { softplus } from '../../graph/lossOps.ts';
import { evenWeights, float32, type Loss, zeroed } from './loss.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Binary cross entropy of `sigmoid(score / temperature)` to labels from 0 to 1, mean over the documents that have one. */
export function bce({ temperature }: { temperature: number }): Loss {
  return pointwise(temperature, ({ labels }) => labels, false);
}

/** KL divergence of `sigmoid(score / temperature)` from that of a teacher's score, mean over the documents that have one. */
export function pointwiseKl({ temperature }: { temperature: number }): Loss {
  return pointwise(temperature, ({ scores }) => scores.map((score) => sigmoid(score / temperature)), true);
}

function pointwise(
  temperature: number,
  targetsOf: (judged: Parameters<Loss['feeds']>[0]) => Float32Array,
  isDivergence: boolean,
): Loss {
  return {
    feeds(judged) {
      const targets = targetsOf(judged);
      const weights = evenWeights(targets);
      const dims = [judged.lists, judged.size];
      const entropy = targets.reduce(
        (sum, p, i) => sum - (weights[i]! === 0 ? 0 : weights[i]! * (xLogX(p) + xLogX(1 - p))),
        0,
      );
      return {
        targets: float32(zeroed(targets), dims),
        weights: float32(weights, dims),
        entropy: float32(Float32Array.of(isDivergence ? entropy : 0), []),
      };
    },
    // softplus(s) - p·s = -p·log σ(s) - (1 - p)·log(1 - σ(s)), without overflow.
    emit(net, { own }, input) {
      const shape = own.shape as number[];
      const scores = net.scale(own, 1 / temperature);
      const losses = net.sub(softplus(net, scores), net.mul(input('targets', shape), scores));
      return net.sub(net.total(net.mul(input('weights', shape), losses)), input('entropy', []));
    },
  };
}

const xLogX = (p: number): number => (p > 0 ? p * Math.log(p) : 0);
