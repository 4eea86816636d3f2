export interface ScoreOptions {
  signal?: AbortSignal | undefined;
  /** On `performance.now()`'s clock, in milliseconds: scoring stops between chunks once it has passed. */
  deadline?: number | undefined;
}

export interface Scored {
  /** `[documents]`; only the first `scored` are filled, the others are 0. */
  scores: Float32Array;
  scored: number;
  /** Pairs of which something was cut off. */
  truncated: number;
}

/** A cross-encoder in a worker thread: query and document together to a score, higher is better. */
export interface CrossEncoder {
  readonly name: string;
  /** SHA-256 over all files that determine the scores. */
  readonly hash: string;
  readonly maxTokens: number;
  /** Weight of these scores when blended with the retrieval score, if the model's `seine.json` gives one. */
  readonly blend: number | undefined;
  score(query: string, documents: string[], options?: ScoreOptions): Promise<Scored>;
  close(): Promise<void>;
}
