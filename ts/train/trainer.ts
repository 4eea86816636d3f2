import { setImmediate } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import type { FlatLayout } from '../graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../graph/gradientGraph.ts';
import { openSession, type Session, type Tensor } from '../models/session.ts';
import { type AdamW, adamW, euclideanNorm } from './adamW.ts';
import { readCheckpoint, type TrainingState, writeCheckpoint } from './checkpoint.ts';
import { type Dropout, dropoutFeeds } from './dropoutFeeds.ts';
import { learningRate } from './schedule.ts';

export interface Batch {
  /** Batches of one bucket have the same shapes and share a graph. */
  bucket: string;
  feeds: Record<string, Tensor>;
}

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
  /** Emits the loss of a bucket's batches. */
  loss: (bucket: string) => Parameters<typeof gradientGraph>[1];
  /**
   * The batches of a step (1 … steps), whose gradients are averaged: a function of the step alone, so that training
   * resumes where it stopped.
   */
  batches: (step: number) => readonly Batch[];
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

/** Graphs that are open at a time: each keeps the memory of its batches. */
const OPEN_GRAPHS = 4;

/**
 * Trains until the last step; continues from the checkpoint if there is one. Whatever stops it, the last checkpoint
 * stays. Errors: `ERR_MODEL_MISMATCH` if the checkpoint belongs to another training, `ERR_MODEL_OUTPUT` if it diverges,
 * `ERR_OUT_OF_MEMORY` if a batch does not fit.
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
  const gradients = new Gradients(options, state.parameters);
  try {
    while (losses.length < steps) {
      await setImmediate(); // signals are heard here: a run occupies its thread
      if (signal?.aborted) {
        if (saved < losses.length) await save();
        throw signal.reason;
      }
      const step = losses.length + 1;
      const began = performance.now();
      const { loss, gradient } = await gradients.of(step, options.batches(step));
      const norm = euclideanNorm(gradient);
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw diverged(step, loss, saved);
      const rate = learningRate(step, options);
      adamW(state, gradient, optimizer, { norm, step, rate, decayed: layout.decayed });
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

function diverged(step: number, loss: number, saved: number): SeineError {
  const kept = saved === 0 ? 'No checkpoint was written yet' : `The checkpoint of step ${saved} is kept`;
  const what = Number.isFinite(loss) ? 'The gradient' : 'The loss';
  return new SeineError(
    'ERR_MODEL_OUTPUT',
    `${what} of step ${step} should be finite but is not, so the training stopped. ${kept}: lower the learning rate, ` +
      'or look for extreme scores in the data.',
  );
}

/** Losses and gradients of batches at the present parameters, by graphs that are opened when a bucket first comes. */
class Gradients {
  readonly #options: TrainOptions;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>();
  readonly #parameters: Record<string, Tensor>;
  readonly #gradient: Float32Array;
  /** Of the second and further batches of a step. */
  #other: Float32Array | undefined;

  constructor(options: TrainOptions, parameters: Float32Array) {
    this.#options = options;
    this.#parameters = this.#views(parameters, (name) => name);
    this.#gradient = new Float32Array(options.layout.size);
  }

  /** Mean loss and mean gradient `[layout.size]`, which is good until the next call. */
  async of(step: number, batches: readonly Batch[]): Promise<{ loss: number; gradient: Float32Array }> {
    const share = 1 / batches.length;
    let loss = 0;
    for (const [i, batch] of batches.entries()) {
      if (i > 0) this.#other ??= new Float32Array(this.#gradient.length);
      const into = i === 0 ? this.#gradient : this.#other!;
      loss += share * (await this.#run(batch, (step - 1) * batches.length + i, into));
      if (i > 0) for (let j = 0; j < into.length; j++) this.#gradient[j]! += into[j]!;
    }
    if (share < 1) for (let j = 0; j < this.#gradient.length; j++) this.#gradient[j]! *= share;
    return { loss, gradient: this.#gradient };
  }

  async #run(batch: Batch, number: number, gradient: Float32Array): Promise<number> {
    const loss = new Float32Array(1);
    try {
      const session = await this.#session(batch.bucket);
      const { dropout } = this.#options;
      const kept = dropout && dropoutFeeds(session.inputs, dropout, number);
      await session.run(
        { ...batch.feeds, ...kept, ...this.#parameters },
        {
          outputs: { loss: { type: 'float32', dims: [], data: loss }, ...this.#views(gradient, gradientOf) },
        },
      );
    } catch (error) {
      if (!/alloc/i.test(String(error))) throw error;
      throw new SeineError(
        'ERR_OUT_OF_MEMORY',
        `A batch of the shape ${batch.bucket} should fit into memory but does not: take a smaller batch (and ` +
          'accumulate more of them), fewer documents a query or shorter texts. The last checkpoint is kept.',
        { cause: error },
      );
    }
    return loss[0]!;
  }

  async #session(bucket: string): Promise<Session> {
    const { layout, loss, threads, dropout } = this.#options;
    let session = this.#sessions.get(bucket);
    this.#sessions.delete(bucket);
    if (session === undefined) {
      const [oldest] = this.#sessions.size < OPEN_GRAPHS ? [] : this.#sessions;
      if (oldest !== undefined) {
        this.#sessions.delete(oldest[0]);
        await oldest[1].release();
      }
      session = await openSession(gradientGraph(layout, loss(bucket), dropout?.rate), { threads });
    }
    this.#sessions.set(bucket, session);
    return session;
  }

  /** Parts of a flat vector as tensors. */
  #views(flat: Float32Array, nameOf: (name: string) => string): Record<string, Tensor> {
    return Object.fromEntries(
      this.#options.layout.entries.map(({ name, shape, offset, size }) => {
        const data = flat.subarray(offset, offset + size);
        return [nameOf(name), { type: 'float32', dims: shape, data }];
      }),
    );
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
    this.#sessions.clear();
  }
}
