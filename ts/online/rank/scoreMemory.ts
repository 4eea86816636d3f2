import { LRUCache } from 'lru-cache';
import type { ScoreEntry, ScoreTierState } from '../../store/scoreEntry.ts';

/** Heap that an entry takes with its key and its place: 183 to 277 were measured, the most after many evictions. */
export const ENTRY_BYTES = 280;

/** Scores of one kind in memory, the longest unused out first. */
export class ScoreMemory {
  readonly #entries: LRUCache<string, ScoreEntry>;
  readonly #counts = { hits: 0, misses: 0, evictions: 0 };

  constructor(bytes: number) {
    this.#entries = new LRUCache({
      maxSize: bytes,
      sizeCalculation: () => ENTRY_BYTES,
      dispose: (_, __, reason) => {
        if (reason === 'evict') this.#counts.evictions++;
      },
    });
  }

  get(key: string): ScoreEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#counts.misses++;
    else this.#counts.hits++;
    return entry;
  }

  set(key: string, entry: ScoreEntry): void {
    this.#entries.set(key, entry);
  }

  state(): ScoreTierState {
    const { size, calculatedSize, maxSize } = this.#entries;
    return { entries: size, bytes: calculatedSize, limit: maxSize, ...this.#counts };
  }
}
