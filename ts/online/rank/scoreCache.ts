import type { CrossEncoder } from '../../models/crossEncoder.ts';
import type { ScoreEntry, ScoreKind, ScoreTierState } from '../../store/scoreEntry.ts';
import type { ScoreFileState, ScoreTier } from '../../store/scoreTier.ts';
import { Flight, type Outcome } from './flight.ts';
import type { PairOptions, PairScores } from './pairScores.ts';
import { pairKey, promptOf, type Question, questionDigest } from './prompt.ts';
import { ScoreMemory } from './scoreMemory.ts';
import { until } from './until.ts';

export interface ScoreCacheOptions {
  /** Memory that the entries take, half for scores that are anybody's and half for those of one searcher. */
  bytes: number;
  /** Where the ranker runs. */
  provider: string;
  /** Keeps what memory has no room for, and scores of earlier runs; the cache closes it. */
  tier?: ScoreTier | undefined;
}

export interface ScoreCacheState {
  memory: Record<ScoreKind, ScoreTierState>;
  /** Documents whose score another call was computing when it was asked for. */
  joined: Record<ScoreKind, number>;
  /** Of the file, if there is one. */
  file: ScoreFileState | undefined;
}

/** How long an answer waits for the file at most, in milliseconds: a score is computed in less. */
const TIER_MS = 50;
/** Pairs that are given to the ranker at once: those who wait for a few of many need not wait for all. */
const SLICE = 64;

/**
 * Remembers the ranker's scores, of the longest unused no more. A score is found again only for the same model,
 * prompt, query, searcher, profile and text. What several calls want at the same time is computed once, for as long as
 * one of them waits for it.
 */
export class ScoreCache {
  readonly #memory: Record<ScoreKind, ScoreMemory>;
  readonly #joined: Record<ScoreKind, number> = { shared: 0, personal: 0 };
  readonly #provider: string;
  readonly #tier: ScoreTier | undefined;
  readonly #flights = new Map<string, Flight>();

  constructor({ bytes, provider, tier }: ScoreCacheOptions) {
    const half = Math.floor(bytes / 2);
    this.#memory = { shared: new ScoreMemory(half), personal: new ScoreMemory(half) };
    this.#provider = provider;
    this.#tier = tier;
  }

  /**
   * Scores documents for a question. Documents whose score is remembered have it whatever the deadline. Errors: those
   * of the ranker, which are not remembered; `signal.reason`.
   */
  async score(
    question: Question,
    documents: string[],
    ranker: CrossEncoder,
    { signal, deadline }: PairOptions,
  ): Promise<PairScores> {
    signal?.throwIfAborted();
    const kind = question.searcher === undefined ? 'shared' : 'personal';
    const { hash, maxTokens } = ranker;
    const digest = questionDigest(question, { hash, maxTokens, provider: this.#provider });
    const keys = documents.map((document) => pairKey(digest, document));
    const wanted = new Map(keys.map((key, i) => [key, documents[i]!]));
    const found = new Map<string, ScoreEntry>();
    for (const key of wanted.keys()) {
      const entry = this.#memory[kind].get(key);
      if (entry !== undefined) found.set(key, entry);
    }
    if (found.size < wanted.size) await this.#askTier(kind, wanted, found, { signal, deadline });

    let computed = 0;
    let late = false;
    while (found.size < wanted.size && !late) {
      const own: Flight[] = [];
      const joined: Flight[] = [];
      for (const [key, document] of wanted) {
        if (found.has(key)) continue;
        const flight = this.#flights.get(key);
        if (flight === undefined) own.push(this.#begin(key, document));
        else joined.push(flight.join());
      }
      const prompt = promptOf(question);
      if (own.length > 0) void this.#compute(own, kind, prompt, ranker, deadline);
      this.#joined[kind] += joined.length;
      try {
        // The ranker itself keeps the deadline of this call.
        await until(Promise.all(own.map(({ outcome }) => outcome)), { signal });
        for (const { key, result } of own) {
          if (result !== undefined && 'error' in result) throw result.error;
          if (result === undefined) late = true;
          else {
            found.set(key, result.entry);
            computed++;
          }
        }
        // What the others leave undone, because they are cancelled, late or failed, this call does itself.
        const inTime = await until(Promise.all(joined.map(({ outcome }) => outcome)), { signal, deadline });
        late ||= !inTime;
        for (const { key, result } of joined) {
          if (result !== undefined && 'entry' in result) found.set(key, result.entry);
        }
      } finally {
        for (const flight of [...own, ...joined]) flight.leave();
      }
    }

    const entries = keys.map((key) => found.get(key));
    const scored = entries.filter((entry) => entry !== undefined);
    return {
      logits: entries.map((entry) => entry?.score),
      cached: scored.length - computed,
      truncated: scored.filter(({ truncated }) => truncated).length,
      queryTruncated: scored.some(({ queryTruncated }) => queryTruncated),
    };
  }

  /** How much is remembered, and how often that was of use. */
  state(): ScoreCacheState {
    const { shared, personal } = this.#memory;
    return {
      memory: { shared: shared.state(), personal: personal.state() },
      joined: { ...this.#joined },
      file: this.#tier?.state(),
    };
  }

  /** Writes to the file what is not in it yet. */
  async close(): Promise<void> {
    await this.#tier?.close();
  }

  /** Adds what the file has to `found` and to memory; what comes too late is left to the ranker. */
  async #askTier(
    kind: ScoreKind,
    wanted: ReadonlyMap<string, string>,
    found: Map<string, ScoreEntry>,
    { signal, deadline = Number.POSITIVE_INFINITY }: PairOptions,
  ): Promise<void> {
    if (this.#tier === undefined) return;
    let kept: ReadonlyMap<string, ScoreEntry> = new Map();
    const asking = this.#tier
      .get(
        kind,
        [...wanted.keys()].filter((key) => !found.has(key)),
      )
      .then((entries) => {
        kept = entries;
      });
    await until(asking, { signal, deadline: Math.min(deadline, performance.now() + TIER_MS) });
    for (const [key, entry] of kept) {
      found.set(key, entry);
      this.#memory[kind].set(key, entry);
    }
  }

  #begin(key: string, document: string): Flight {
    const flight = new Flight(key, document, () => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Settles all of the flights, also those that nobody waits for any more, and never rejects. */
  async #compute(
    flights: Flight[],
    kind: ScoreKind,
    prompt: string,
    ranker: CrossEncoder,
    deadline: number | undefined,
  ): Promise<void> {
    let outcome: Outcome;
    try {
      for (let start = 0; start < flights.length; start += SLICE) {
        const slice = flights.slice(start, start + SLICE).filter(({ settled }) => !settled);
        const reached =
          slice.length === 0 || (await this.#computeSlice(slice, kind, prompt, ranker, deadline));
        if (!reached) break;
      }
    } catch (error) {
      outcome = { error };
    } finally {
      for (const flight of flights) flight.settle(outcome);
    }
  }

  /** False if the deadline came first. */
  async #computeSlice(
    slice: Flight[],
    kind: ScoreKind,
    prompt: string,
    ranker: CrossEncoder,
    deadline: number | undefined,
  ): Promise<boolean> {
    const documents = slice.map(({ document }) => document);
    const signal = Flight.abandoned(slice);
    try {
      const scored = await ranker.score(prompt, documents, { signal, deadline });
      for (const [i, flight] of slice.slice(0, scored.scored).entries()) {
        const { scores, truncated, queryTruncated } = scored;
        const entry = { score: scores[i]!, truncated: truncated[i] === 1, queryTruncated };
        this.#memory[kind].set(flight.key, entry);
        this.#tier?.set(kind, flight.key, entry);
        flight.settle({ entry });
      }
      return scored.scored === slice.length;
    } catch (error) {
      if (signal.aborted) return true;
      throw error;
    }
  }
}
