/** AdamW (I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019) with clipping by the global norm. */
export interface AdamW {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** A longer gradient is scaled down to this Euclidean length. */
  clipNorm: number;
}

/** Parameters and the moments of their gradients, all of one length. */
export interface OptimizerState {
  parameters: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
}

export interface AdamWStep {
  /** The gradient's Euclidean length. */
  norm: number;
  /** Counts from 1. */
  step: number;
  /** Learning rate. */
  rate: number;
  /** The first so many parameters get weight decay. */
  decayed: number;
}

/** Elements whose squares are summed for themselves, in `SUMS` partial sums; those of all blocks are added in order. */
const BLOCK = 2 ** 16;
const SUMS = 16;

/** Euclidean length, summed in float64; not finite if an element is not. */
export function euclideanNorm(values: Float32Array): number {
  let total = 0;
  for (let begin = 0; begin < values.length; begin += BLOCK) {
    const sums = new Float64Array(SUMS);
    const end = Math.min(begin + BLOCK, values.length);
    for (let i = begin; i < end; i++) sums[(i - begin) % SUMS]! += values[i]! * values[i]!;
    total += sums.reduce((sum, part) => sum + part, 0);
  }
  return Math.sqrt(total);
}

/** What all elements of a step share, in the order of the addon. */
export function adamWConstants(
  { beta1, beta2, epsilon, weightDecay, clipNorm }: AdamW,
  { norm, step, rate }: AdamWStep,
) {
  return {
    ratio: clipNorm / Math.max(norm, clipNorm),
    beta1,
    beta2,
    meanScale: 1 / (1 - beta1 ** step),
    varianceScale: 1 / (1 - beta2 ** step),
    epsilon,
    weightDecay,
    rate,
  };
}

/** The meaning of `adamW`: one step in place, in float64 arithmetic, each result rounded to float32 once. */
export function adamW(
  { parameters, mean, variance }: OptimizerState,
  gradient: Float32Array,
  optimizer: AdamW,
  at: AdamWStep,
): void {
  const { ratio, beta1, beta2, meanScale, varianceScale, epsilon, weightDecay, rate } = adamWConstants(
    optimizer,
    at,
  );
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]! * ratio;
    const m = beta1 * mean[i]! + (1 - beta1) * g;
    const v = beta2 * variance[i]! + (1 - beta2) * g * g;
    mean[i] = m;
    variance[i] = v;
    const decay = i < at.decayed ? weightDecay * parameters[i]! : 0;
    parameters[i]! -= rate * ((m * meanScale) / (Math.sqrt(v * varianceScale) + epsilon) + decay);
  }
}
