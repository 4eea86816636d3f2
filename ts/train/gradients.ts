import { SeineError } from '../core/errors.ts';
import type { FlatLayout } from '../graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../graph/gradientGraph.ts';
import { openSession, type Session, type Tensor } from '../models/session.ts';
import { type Dropout, dropoutFeeds } from './dropoutFeeds.ts';

/** What a graph is fed with a batch. Lengths may differ from batch to batch. */
export type Batch = Record<string, Tensor>;

/** Emits the loss of batches. */
export type EmitLoss = Parameters<typeof gradientGraph>[1];

export interface GradientOptions {
  layout: FlatLayout;
  loss: EmitLoss;
  dropout?: Dropout | undefined;
  threads?: number | undefined;
}

/** Losses and gradients of batches at the present parameters. */
export class Gradients {
  readonly #options: GradientOptions;
  /** Opened for the first batch: one graph for all lengths, so that its memory is taken from the system once. */
  #session: Session | undefined;
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
      this.#session ??= await this.#open();
      const { dropout } = this.#options;
      const kept = dropout && dropoutFeeds(this.#session.inputs, batch, dropout, number);
      await this.#session.run(
        { ...batch, ...kept, ...this.#parameters },
        {
          outputs: { loss: { type: 'float32', dims: [], data: loss }, ...this.#views(gradient, gradientOf) },
        },
      );
    } catch (error) {
      if (!/alloc/i.test(String(error))) throw error;
      throw new SeineError(
        'ERR_OUT_OF_MEMORY',
        `A batch of texts ${shapesOf(batch)} should fit into memory but does not: take a smaller batch (and ` +
          'accumulate more of them), fewer documents a query or shorter texts. The last checkpoint is kept.',
        { cause: error },
      );
    }
    return loss[0]!;
  }

  #open(): Promise<Session> {
    const { layout, loss, threads, dropout } = this.#options;
    return openSession(gradientGraph(layout, loss, dropout?.rate), { threads, plannedMemory: false });
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
    await this.#session?.release();
    this.#session = undefined;
  }
}

/** The shapes of a batch's texts, `[16, 64] and [32, 128]`. */
function shapesOf(batch: Batch): string {
  const texts = Object.entries(batch).filter(([name]) => name.endsWith('.ids'));
  return texts.map(([, { dims }]) => `[${dims.join(', ')}]`).join(' and ');
}
