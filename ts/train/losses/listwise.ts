import type { Autodiff } from '../../graph/autodiff.ts';
import { staticShape, type Tensor } from '../../graph/graph.ts';
import { float32, HIDDEN, type Loss } from './loss.ts';

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

/**
 * `listwiseLoss` (ListNet, Z. Cao et al., 2007) to the gains of grades or, if `to` says so, to the softmax of a
 * teacher's scores at the same temperature, or to each label's share of their sum, such as of clicks. Documents of which
 * these are not known are left out of the lists; a list whose labels are all 0 does not count.
 */
export function listwise({
  temperature,
  to,
}: {
  temperature: number;
  to: 'grades' | 'labels' | 'scores';
}): Loss {
  const sharesOf = {
    grades: listTargets,
    labels: sharesOfSum,
    scores: (values: readonly number[]) => softmax(values, temperature),
  }[to];
  return {
    feeds(judged) {
      const { lists, size } = judged;
      const targets = new Float32Array(lists * size);
      const hide = new Float32Array(lists * size);
      for (let list = 0; list < lists; list++) {
        const places = Array.from({ length: size }, (_, i) => list * size + i);
        const known = places.filter((at) => !Number.isNaN(judged[to][at]!));
        for (const at of places) hide[at] = HIDDEN;
        for (const at of known) hide[at] = 0;
        const values = known.map((at) => judged[to][at]!);
        const shares = sharesOf(values);
        for (const [i, at] of known.entries()) targets[at] = shares[i]!;
      }
      const dims = [lists, size];
      return { targets: float32(targets, dims), hide: float32(hide, dims) };
    },
    emit(net, { own }, input) {
      const shape = own.shape as number[];
      const logits = net.add(net.scale(own, 1 / temperature), input('hide', shape));
      return listwiseLoss(net, logits, input('targets', shape));
    },
  };
}

function sharesOfSum(labels: readonly number[]): Float32Array {
  const total = labels.reduce((sum, label) => sum + label, 0);
  return Float32Array.from(labels, (label) => (total > 0 ? label / total : 0));
}

function softmax(scores: readonly number[], temperature: number): Float32Array {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp((score - top) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float32Array.from(weights, (weight) => weight / total);
}
