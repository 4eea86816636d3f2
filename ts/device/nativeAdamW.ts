import { threadBudget } from '../core/threads.ts';
import { type NativeAddon, native, nativeError, nativeProblem } from './native.ts';
import { type AdamW, type AdamWStep, adamWConstants, type OptimizerState } from './reference/adamW.ts';

/**
 * AdamW by the addon's threads, off the event loop, to the bit as in `reference/adamW.ts` for any number of threads.
 * Arrays must not be changed or read before a promise settles.
 */
export class NativeAdamW {
  readonly #addon: NativeAddon;
  readonly #optimizer: AdamW;
  readonly #threads: number;

  /** Errors: `ERR_DEVICE_UNAVAILABLE` where there is no addon. */
  constructor(optimizer: AdamW, threads: number = threadBudget()) {
    const addon = native();
    if (addon === undefined) throw nativeProblem();
    this.#addon = addon;
    this.#optimizer = optimizer;
    this.#threads = threads;
  }

  /** Euclidean length; not finite if an element is not. */
  async norm(gradient: Float32Array): Promise<number> {
    try {
      return Math.sqrt(await this.#addon.squaredLength(isa(), this.#threads, gradient));
    } catch (error) {
      throw nativeError(error);
    }
  }

  /** One step in place. Errors: `ERR_DIMENSION` if the arrays differ in length. */
  async step(
    { parameters, mean, variance }: OptimizerState,
    gradient: Float32Array,
    at: AdamWStep,
  ): Promise<void> {
    const constants = Float64Array.from(Object.values(adamWConstants(this.#optimizer, at)));
    try {
      await this.#addon.adamW(
        isa(),
        this.#threads,
        parameters,
        mean,
        variance,
        gradient,
        at.decayed,
        constants,
      );
    } catch (error) {
      throw nativeError(error);
    }
  }
}

const isa = (): string => process.env.SEINE_ISA ?? '';
