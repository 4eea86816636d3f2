import { SeineError } from '../../core/errors.ts';
import type { Loss } from './loss.ts';

/** A loss of one of several objectives: of its labels, and of its scores, which are number `index` of the model's. */
export function ofObjective(loss: Loss, name: string, index: number): Loss {
  return {
    feeds: (judged) =>
      loss.feeds({
        ...judged,
        labels: judged.objectives?.[name] ?? new Float32Array(judged.lists * judged.size).fill(Number.NaN),
      }),
    emit(net, scores, input) {
      const own = scores.objectives?.[index];
      if (own === undefined) {
        throw new SeineError(
          'ERR_INTERNAL',
          `The loss of ${name} should be given score ${index} of a ranker.`,
        );
      }
      return loss.emit(net, { ...scores, own, all: own }, input);
    },
  };
}
