import { setImmediate } from 'node:timers/promises';

/** Milliseconds that a batch in the background may hold the model up. */
const BATCH_MS = 20;
/** What the latest batch counts in the mean of tokens per millisecond. */
const RECENT = 0.3;
/** Tokens of the first batch, before anything has been measured. */
const FIRST_TOKENS = 256;
/** A stream of other calls does not keep the background waiting for longer at a time. */
const MOST_WAIT_MS = 100;

/** Lets calls in the background step back behind the others of a model, and keeps their batches short. */
export class BackgroundPace {
  readonly #most: number;
  #perMs: number | undefined;
  /** Calls under way that are not in the background. */
  #others = 0;
  readonly #waiting: (() => void)[] = [];

  /** `most`: tokens of a batch however fast the model is. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Tokens, padding included, that the next batch may have. */
  get tokens(): number {
    if (this.#perMs === undefined) return Math.min(FIRST_TOKENS, this.#most);
    return Math.max(1, Math.min(this.#most, Math.floor(this.#perMs * BATCH_MS)));
  }

  observe(tokens: number, ms: number): void {
    const rate = tokens / Math.max(ms, 0.01);
    this.#perMs = this.#perMs === undefined ? rate : this.#perMs + RECENT * (rate - this.#perMs);
  }

  /** Runs what is not in the background. */
  async first<T>(call: () => Promise<T>): Promise<T> {
    this.#others++;
    try {
      return await call();
    } finally {
      this.#others--;
      if (this.#others === 0) for (const proceed of this.#waiting.splice(0)) proceed();
    }
  }

  /** Resolves when the background may run its next batch. */
  async turn(): Promise<void> {
    await setImmediate(); // calls that have arrived meanwhile begin here
    if (this.#others === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, MOST_WAIT_MS);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
