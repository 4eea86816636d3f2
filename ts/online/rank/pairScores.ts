export interface PairOptions {
  /** In short batches, between which other calls go first. */
  background?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** On `performance.now()`'s clock: no further documents are begun once it has passed. */
  deadline?: number | undefined;
}

/** Scores of documents for a question. */
export interface PairScores {
  /** Logits by document; `undefined` where the deadline came first. */
  logits: (number | undefined)[];
  /** Documents whose score came from the cache, or from equal work that was under way already. */
  cached: number;
  /** Documents with a logit of which the ranker read only the head. */
  truncated: number;
  /** Whether the ranker read only the head of the query with the profile. */
  queryTruncated: boolean;
}
