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

/** Euclidean length, summed in float64; not finite if an element is not. */
export function euclideanNorm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

/**
 * One step in place, in float64 arithmetic: `norm` is the gradient's length, `step` counts from 1. The first `decayed`
 * parameters get weight decay.
 */
export function adamW(
  { parameters, mean, variance }: OptimizerState,
  gradient: Float32Array,
  { beta1, beta2, epsilon, weightDecay, clipNorm }: AdamW,
  { norm, step, rate, decayed }: { norm: number; step: number; rate: number; decayed: number },
): void {
  const ratio = clipNorm / Math.max(norm, clipNorm);
  const meanScale = 1 / (1 - beta1 ** step);
  const varianceScale = 1 / (1 - beta2 ** step);
  const { sqrt } = Math;
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]! * ratio;
    const m = beta1 * mean[i]! + (1 - beta1) * g;
    const v = beta2 * variance[i]! + (1 - beta2) * g * g;
    mean[i] = m;
    variance[i] = v;
    const decay = i < decayed ? weightDecay * parameters[i]! : 0;
    parameters[i]! -= rate * ((m * meanScale) / (sqrt(v * varianceScale) + epsilon) + decay);
  }
}
