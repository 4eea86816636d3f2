import type { ScoreEntry } from '../../store/scoreEntry.ts';

/** How a pair that was under way came out: `undefined` if it was given up, for want of time or of anybody waiting. */
export type Outcome = { entry: ScoreEntry } | { error: unknown } | undefined;

/** A pair whose score is being found, for one caller or several. */
export class Flight {
  readonly key: string;
  readonly document: string;
  /** Resolves when it is settled. */
  readonly outcome: Promise<void>;
  result: Outcome;
  settled = false;
  readonly #onSettled: () => void;
  #resolve: () => void = () => {};
  #waiting = 1;
  #onAbandoned: () => void = () => {};

  constructor(key: string, document: string, onSettled: () => void) {
    this.key = key;
    this.document = document;
    this.#onSettled = onSettled;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** One more caller waits. */
  join(): this {
    this.#waiting++;
    return this;
  }

  /** One caller less waits; when none is left, the pair is given up. */
  leave(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.settled) return;
    this.settle(undefined);
    this.#onAbandoned();
  }

  /** The first outcome counts. */
  settle(result: Outcome): void {
    if (this.settled) return;
    this.settled = true;
    this.result = result;
    this.#onSettled();
    this.#resolve();
  }

  /** A signal that is aborted once nobody waits for any of the flights. */
  static abandoned(flights: Flight[]): AbortSignal {
    const controller = new AbortController();
    let left = flights.length;
    for (const flight of flights) {
      flight.#onAbandoned = () => {
        if (--left === 0) controller.abort();
      };
    }
    return controller.signal;
  }
}
