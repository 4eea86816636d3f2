import { nextTurn } from '../core/nextTurn.ts';
import type { BackendRows, Found, SearchTask } from './device.ts';
import type { StoredQueries } from './storedRows.ts';

/** Queries of one batch: more of them hardly gain anything. */
const MOST = 256;
/** Those just answered may ask again: they are waited for so many milliseconds, and so much of what the answer took. */
const PATIENCE = { ms: 0.3, share: 0.1 };

interface Waiting {
  task: SearchTask;
  resolve: (found: Found | Promise<Found>) => void;
  reject: (reason: unknown) => void;
}

/**
 * Searches called while another one of the same k and rows is under way wait for its end and then go to the device as
 * one batch, since a batch reads the rows once. A search that finds nothing under way begins at once. Answers are
 * those of searches on their own.
 */
export class GatheredSearches {
  readonly #backend: BackendRows;
  readonly #lanes = new Set<Lane>();

  constructor(backend: BackendRows) {
    this.#backend = backend;
  }

  search(task: SearchTask): Promise<Found> {
    // Queries of maxsim are batches of tokens themselves.
    if (task.q >= MOST || task.offsets !== undefined) return this.#backend.search(task);
    for (const lane of this.#lanes) if (lane.fits(task)) return lane.add(task);
    const lane = new Lane(this.#backend, task, () => this.#lanes.delete(lane));
    this.#lanes.add(lane);
    return lane.add(task);
  }
}

/** Searches that differ in their queries only: one batch at a time. */
class Lane {
  readonly #backend: BackendRows;
  readonly #like: SearchTask;
  readonly #onIdle: () => void;
  #waiting: Waiting[] = [];
  #working = false;

  constructor(backend: BackendRows, like: SearchTask, onIdle: () => void) {
    this.#backend = backend;
    this.#like = like;
    this.#onIdle = onIdle;
  }

  /** Rows that pass are the same only if they are one object, as those of a search without a filter are. */
  fits({ k, count, allowed, rows }: SearchTask): boolean {
    const like = this.#like;
    return k === like.k && count === like.count && allowed === like.allowed && rows === like.rows;
  }

  add(task: SearchTask): Promise<Found> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      const began = performance.now();
      await this.#answer(batch);
      // A search that was alone is not followed by a pause: on an idle machine nothing waits.
      if (batch.length > 1 || this.#waiting.length > 0) {
        const pause = Math.min(PATIENCE.ms, (performance.now() - began) * PATIENCE.share);
        await this.#waitFor(this.#waiting.length + batch.length, pause);
      }
    }
    this.#onIdle();
  }

  /** The first of those that wait, as many as make a batch. */
  #take(): Waiting[] {
    let [queries, members] = [0, 0];
    for (const { task } of this.#waiting) {
      if (members > 0 && queries + task.q > MOST) break;
      queries += task.q;
      members++;
    }
    return this.#waiting.splice(0, members);
  }

  async #answer(batch: readonly Waiting[]): Promise<void> {
    const asking = stillWanted(batch);
    if (asking.length > 1) {
      const listening = new AbortController();
      try {
        return give(asking, await this.#backend.search(joined(asking, listening.signal)));
      } catch {
        // One of them may be at fault, or all together too large: each gets the answer that it has by itself.
      } finally {
        listening.abort();
      }
    }
    for (const { task, resolve } of stillWanted(asking)) {
      const found = this.#backend.search(task);
      resolve(found);
      await found.catch(() => {});
    }
  }

  /** Until `members` wait or the time is over. */
  async #waitFor(members: number, ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (this.#waiting.length < members && performance.now() < end) await nextTurn();
  }
}

/** Rejects those whose signal has aborted and returns the others. */
function stillWanted(batch: readonly Waiting[]): Waiting[] {
  return batch.filter(({ task, reject }) => {
    if (task.signal?.aborted) reject(task.signal.reason);
    return !task.signal?.aborted;
  });
}

/** One task for all queries, cancelled once nobody wants an answer any more; listens until `done` aborts. */
function joined(asking: readonly Waiting[], done: AbortSignal): SearchTask {
  const { task: first } = asking[0]!;
  const cancelled = new AbortController();
  let [q, wanted] = [0, asking.length];
  for (const { task } of asking) {
    q += task.q;
    task.signal?.addEventListener('abort', () => --wanted === 0 && cancelled.abort(), { signal: done });
  }
  const queries = joinedQueries(asking.map(({ task }) => task.queries));
  const weights = asking.flatMap(({ task }) => (task.weights === undefined ? [] : [task.weights]));
  return {
    ...first,
    queries,
    q,
    weights: weights.length === 0 ? undefined : concatenated(Float32Array, weights),
    signal: cancelled.signal,
  };
}

function joinedQueries(all: readonly StoredQueries[]): StoredQueries {
  const bits = all.flatMap((one) => (one.dtype === 'binary' ? [one.words] : []));
  if (bits.length > 0) return { dtype: 'binary', words: concatenated(Uint32Array, bits) };
  const numbers = all.flatMap((one) => (one.dtype === 'f32' ? [one.values] : []));
  return { dtype: 'f32', values: concatenated(Float32Array, numbers) };
}

function concatenated<A extends Uint32Array | Float32Array>(
  type: new (length: number) => A,
  parts: readonly A[],
): A {
  const whole = new type(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function give(asking: readonly Waiting[], { ids, scores }: Found): void {
  let from = 0;
  for (const { task, resolve } of asking) {
    const to = from + task.q * task.k;
    resolve({ ids: ids.subarray(from, to), scores: scores.subarray(from, to) });
    from = to;
  }
}
