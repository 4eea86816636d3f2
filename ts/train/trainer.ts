import { setImmediate } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import { NativeAdamW } from '../device/nativeAdamW.ts';
import type { AdamW } from '../device/reference/adamW.ts';
import type { FlatLayout } from '../graph/flatLayout.ts';
import { readCheckpoint, type TrainingState, writeCheckpoint } from './checkpoint.ts';
import type { Dropout } from './dropoutFeeds.ts';
import { type Batch, type EmitLoss, Gradients } from './gradients.ts';
import { learningRate } from './schedule.ts';

export interface StepReport {
  step: number;
  steps: number;
  loss: number;
  /** Euclidean length of the gradient before clipping. */
  gradientNorm: number;
  learningRate: number;
  milliseconds: number;
}

export interface TrainOptions {
  layout: FlatLayout;
  /** `[layout.size]`; copied. */
  initial: Float32Array;
  optimizer: AdamW;
  steps: number;
  warmup: number;
  /** Learning rate at the end of the warm-up. */
  peak: number;
  /** Parameters from one on that have a learning rate, and a length of the gradient, of their own. */
  further?: { from: number; peak: number } | undefined;
  /** Emits the loss of batches. */
  loss: EmitLoss;
  /**
   * The batches of a step (1 … steps), whose gradients are averaged: a function of the step alone, so that training
   * resumes where it stopped.
   */
  batches: (step: number) => readonly Batch[] | Promise<readonly Batch[]>;
  /** None if left out. */
  dropout?: Dropout | undefined;
  /** File that holds parameters and optimiser state, replaced every `checkpointSteps` steps. */
  checkpoint: string;
  checkpointSteps: number;
  /** What the checkpoint belongs to, such as the recipe's hash: another one is refused. */
  identity: string;
  threads?: number | undefined;
  onStep?: ((report: StepReport) => void) | undefined;
  /** Stops after the step under way, with a checkpoint; the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Parameters, and loss and gradient's length of every step. */
export type Trained = Pick<TrainingState, 'parameters' | 'losses' | 'norms'>;

/**
 * Trains until the last step; continues from the checkpoint if there is one. Whatever stops it, the last checkpoint
 * stays. Errors: `ERR_MODEL_MISMATCH` if the checkpoint belongs to another training, `ERR_MODEL_OUTPUT` if it diverges,
 * `ERR_OUT_OF_MEMORY` if a batch does not fit, `ERR_DEVICE_UNAVAILABLE` where the addon is not built.
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const { layout, optimizer, steps, signal, checkpoint, checkpointSteps, identity } = options;
  if (options.initial.length !== layout.size) {
    throw new SeineError(
      'ERR_DIMENSION',
      `initial should have ${layout.size} values, got ${options.initial.length}.`,
    );
  }
  const from = await readCheckpoint(checkpoint, identity, layout.size);
  const state = from ?? {
    parameters: options.initial.slice(),
    mean: new Float32Array(layout.size),
    variance: new Float32Array(layout.size),
  };
  const losses = [...(from?.losses ?? [])];
  const norms = [...(from?.norms ?? [])];
  let saved = losses.length;
  const history = () => ({ losses: Float32Array.from(losses), norms: Float32Array.from(norms) });
  const save = async (): Promise<void> => {
    await writeCheckpoint(checkpoint, identity, { ...state, ...history() });
    saved = losses.length;
  };
  const adamW = new NativeAdamW(optimizer, options.threads);
  const gradients = new Gradients(options, state.parameters);
  const parts = partsOf(options);
  try {
    while (losses.length < steps) {
      await setImmediate(); // signals are heard here: a run occupies its thread
      if (signal?.aborted) {
        if (saved < losses.length) await save();
        throw signal.reason;
      }
      const step = losses.length + 1;
      const began = performance.now();
      const { loss, gradient } = await gradients.of(step, await options.batches(step));
      const lengths: number[] = [];
      for (const { from, to } of parts) lengths.push(await adamW.norm(gradient.subarray(from, to)));
      if (![loss, ...lengths].every(Number.isFinite)) throw diverged(step, loss, saved);
      for (const [i, { from, to, peak, decayed }] of parts.entries()) {
        const part = {
          parameters: state.parameters.subarray(from, to),
          mean: state.mean.subarray(from, to),
          variance: state.variance.subarray(from, to),
        };
        const at = { norm: lengths[i]!, step, rate: learningRate(step, { ...options, peak }), decayed };
        await adamW.step(part, gradient.subarray(from, to), at);
      }
      const norm = lengths[0]!;
      const rate = learningRate(step, options);
      losses.push(loss);
      norms.push(norm);
      if (step % checkpointSteps === 0 || step === steps) await save();
      const milliseconds = performance.now() - began;
      options.onStep?.({ step, steps, loss, gradientNorm: norm, learningRate: rate, milliseconds });
    }
  } finally {
    await gradients.release();
  }
  return { parameters: state.parameters, ...history() };
}

/** Stretches of the parameters with one learning rate each; the first is the model's own. */
function partsOf({ layout, peak, further }: TrainOptions) {
  const whole = { from: 0, to: layout.size, peak, decayed: layout.decayed };
  if (further === undefined) return [whole];
  return [
    { ...whole, to: further.from },
    { ...further, to: layout.size, decayed: 0 },
  ];
}

function diverged(step: number, loss: number, saved: number): SeineError {
  const kept = saved === 0 ? 'No checkpoint was written yet' : `The checkpoint of step ${saved} is kept`;
  const what = Number.isFinite(loss) ? 'The gradient' : 'The loss';
  return new SeineError(
    'ERR_MODEL_OUTPUT',
    `${what} of step ${step} should be finite but is not, so the training stopped. ${kept}: lower the learning rate, ` +
      'or look for extreme scores in the data.',
  );
}
