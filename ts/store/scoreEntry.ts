/** What is remembered of a pair of question and document. */
export interface ScoreEntry {
  score: number;
  /** Whether the ranker read only the head of the document. */
  truncated: boolean;
  /** Whether it read only the head of the question. */
  queryTruncated: boolean;
}

/** Scores for a searcher are kept apart from those for everybody, so that neither drive the other out. */
export const SCORE_KINDS = ['shared', 'personal'] as const;
export type ScoreKind = (typeof SCORE_KINDS)[number];

/** One kind of scores in one place. */
export interface ScoreTierState {
  entries: number;
  bytes: number;
  /** `bytes` stays within this. */
  limit: number;
  hits: number;
  misses: number;
  /** Entries that made room for others. */
  evictions: number;
}
