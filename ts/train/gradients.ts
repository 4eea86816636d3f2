import { SeineError } from '../core/errors.ts';
import type { FlatLayout } from '../graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../graph/gradientGraph.ts';
import { openSession, type Session, type Tensor } from '../models/session.ts';
import { type Dropout, dropoutFeeds } from './dropoutFeeds.ts';

export interface Batch {
  /** Batches of one bucket have the same shapes and share a graph. */
  bucket: string;
  feeds: Record<string, Tensor>;
}

/** Emits the loss of a bucket's batches. */
export type EmitLoss = (bucket: string) => Parameters<typeof gradientGraph>[1];

export interface GradientOptions {
  layout: FlatLayout;
  loss: EmitLoss;
  dropout?: Dropout | undefined;
  threads?: number | undefined;
}

/** Graphs that are open at a time: each keeps the memory of its batches. */
const OPEN_GRAPHS = 4;

/** Losses and gradients of batches at the present parameters, by graphs that are opened when a bucket first comes. */
export class Gradients {
  readonly #options: GradientOptions;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>();
  readonly #parameters: Record<string, Tensor>;
  readonly #gradient: Float32Array;
  /** Of the second and further batches of a step. */
  #other: Float32Array | undefined;

  constructor(options: GradientOptions, parameters: Float32Array) {
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
      session = await openSession(gradientGraph(layout, loss(bucket), dropout?.rate), {
        threads,
        plannedMemory: false,
      });
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
