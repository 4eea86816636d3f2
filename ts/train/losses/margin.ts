import { relu } from '../../graph/lossOps.ts';
import { float32, type Loss } from './loss.ts';

/**
 * Margin of pairs: mean of `max(0, margin - (better - worse))` over all pairs of a list's documents of which one has a
 * higher grade than the other.
 */
export function margin({ margin: least }: { margin: number }): Loss {
  return {
    feeds({ lists, size, grades }) {
      const weights = new Float32Array(lists * size * size);
      for (let list = 0; list < lists; list++) {
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const isBetter = grades[list * size + i]! > grades[list * size + j]!; // false if either is not known
            if (isBetter) weights[(list * size + i) * size + j] = 1;
          }
        }
      }
      const pairs = Math.max(
        1,
        weights.reduce((sum, weight) => sum + weight, 0),
      );
      return {
        pairs: float32(
          weights.map((weight) => weight / pairs),
          [lists, size, size],
        ),
      };
    },
    emit(net, { own }, input) {
      const [lists, size] = own.shape as [number, number];
      const gaps = net.sub(net.reshape(own, [lists, 1, size]), net.reshape(own, [lists, size, 1]));
      const lacking = relu(net, net.add(gaps, net.graph.scalar(least)));
      return net.total(net.mul(input('pairs', [lists, size, size]), lacking));
    },
  };
}
