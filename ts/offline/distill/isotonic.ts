/** A rising step-wise linear map from scores to probabilities. */
export interface Calibration {
  /** Rising, `[knots]`. */
  scores: number[];
  /** Not falling, 0 to 1, `[knots]`. */
  values: number[];
}

/**
 * Isotonic regression (pool adjacent violators): the rising function of the scores that is nearest to the labels by weighted
 * squares. Knots are the mean scores of its steps.
 */
export function isotonic(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Calibration {
  const order = Array.from(scores, (_, i) => i)
    .filter((i) => weights?.[i] !== 0)
    .sort((a, b) => scores[a]! - scores[b]!);
  const blocks: Block[] = [];
  for (let from = 0; from < order.length; ) {
    // Equal scores are one step whatever their labels, or the map would not be a function.
    const score = scores[order[from]!]!;
    let block: Block = { score, label: 0, weight: 0 };
    for (; from < order.length && scores[order[from]!] === score; from++) {
      block = joined(block, { score, label: labels[order[from]!]!, weight: weights?.[order[from]!] ?? 1 });
    }
    for (let before = blocks.at(-1); before && before.label >= block.label; before = blocks.at(-1)) {
      block = joined(before, block);
      blocks.pop();
    }
    blocks.push(block);
  }
  return { scores: blocks.map(({ score }) => score), values: blocks.map(({ label }) => label) };
}

interface Block {
  score: number;
  label: number;
  weight: number;
}

function joined(a: Block, b: Block): Block {
  const weight = a.weight + b.weight;
  const mean = (first: number, second: number): number => (first * a.weight + second * b.weight) / weight;
  return { score: mean(a.score, b.score), label: mean(a.label, b.label), weight };
}

/** The probability of a score: between knots linearly, beyond the last ones theirs. */
export function calibrate({ scores, values }: Calibration, score: number): number {
  let [low, high] = [0, scores.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle]! <= score) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return values[0]!;
  if (low === scores.length) return values.at(-1)!;
  const [a, b] = [scores[low - 1]!, scores[low]!];
  const part = (score - a) / (b - a);
  return values[low - 1]! + part * (values[low]! - values[low - 1]!);
}

/** Expected calibration error: mean distance of predictions to what happened, over ten bins of as many views each. */
export function calibrationError(
  predicted: readonly number[],
  labels: readonly number[],
  weights: readonly number[],
): number {
  const order = predicted.map((_, i) => i).sort((a, b) => predicted[a]! - predicted[b]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [error, seen, bin] = [0, 0, 0];
  let [saying, being] = [0, 0];
  for (const [place, i] of order.entries()) {
    saying += weights[i]! * predicted[i]!;
    being += weights[i]! * labels[i]!;
    seen += weights[i]!;
    const isLast = place === order.length - 1;
    if (seen >= ((bin + 1) * total) / 10 || isLast) {
      error += Math.abs(saying - being) / total;
      [saying, being] = [0, 0];
      bin++;
    }
  }
  return error;
}
