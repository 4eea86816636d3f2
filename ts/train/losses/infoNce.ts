import { float32, HIDDEN, type Loss } from './loss.ts';

/**
 * InfoNCE (A. van den Oord et al., 2018): mean over queries of the cross entropy of their relevant document, which is
 * the first of its list, among it and the documents that are not relevant: those of its own list (hard negatives) and,
 * for bi-encoders, those of the other lists (in-batch negatives).
 */
export function infoNce({ temperature }: { temperature: number }): Loss {
  return {
    feeds({ lists, size, columns, grades, negative }) {
      const targets = new Float32Array(lists * columns);
      const hide = new Float32Array(lists * columns);
      const counted = Array.from({ length: lists }, (_, list) => grades[list * size]! > 0);
      const share = 1 / Math.max(1, counted.filter(Boolean).length);
      for (let list = 0; list < lists; list++) {
        const positive = columns === size ? 0 : list * size;
        for (let column = 0; column < columns; column++) {
          const at = list * columns + column;
          if (counted[list] && column === positive) targets[at] = share;
          else if (negative[at] !== 1) hide[at] = HIDDEN;
        }
      }
      const dims = [lists, columns];
      return { targets: float32(targets, dims), hide: float32(hide, dims) };
    },
    emit(net, { all }, input) {
      const shape = all.shape as number[];
      const logits = net.add(net.scale(all, 1 / temperature), input('hide', shape));
      return net.scale(net.total(net.mul(input('targets', shape), net.logSoftmax(logits))), -1);
    },
  };
}
