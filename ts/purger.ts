import type { Store } from './store/store.ts';

/** For so long after a write, readers in other processes can follow it without loading everything anew. */
const PURGE_AFTER_MS = 60_000;

/** Removes the content of deleted documents from the disk, in the background, unless a search may ask for it. */
export class Purger {
  readonly #store: Store;
  /** The oldest generation that each attempt of a search may read. */
  readonly #bound = new Map<Promise<unknown>, number>();
  #purging: NodeJS.Timeout | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Keeps what `generation` sees until `attempt` is over. */
  async keepFor<T>(attempt: Promise<T>, generation: number): Promise<T> {
    this.#bound.set(attempt, generation);
    try {
      return await attempt;
    } finally {
      this.#bound.delete(attempt);
    }
  }

  /** In the background: what is not purged then is purged after the next write or on closing. */
  purgeLater(generation: number): void {
    this.#purging ??= setTimeout(() => {
      this.#purging = undefined;
      void this.purge(generation);
    }, PURGE_AFTER_MS).unref();
  }

  /** Removes what was deleted up to `generation`. */
  async purge(generation: number): Promise<void> {
    const oldest = Math.min(generation, ...this.#bound.values());
    await this.#store.purge(oldest).catch(() => {}); // nothing is lost, and the next one tries again
  }

  /** Starts no more in the background. */
  stop(): void {
    clearTimeout(this.#purging);
  }
}
