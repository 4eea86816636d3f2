import type { DeviceName, RetrieveMode, StageScores } from './types.ts';

/** Half-open range of UTF-16 code units. */
export interface TextRange {
  start: number;
  end: number;
}

/** Tokens of a text for one model, special tokens not counted. */
export interface TokenCounts {
  /** Those that the model reads, its prompt's included. */
  kept: number;
  /** Those behind them, which it does not read; no more than 16,384 are counted. */
  cut: number;
}

/** What a model reads of the query. */
export interface QueryReading extends TokenCounts {
  /** The part of `Explanation.query` that was kept: a head of it. */
  text: TextRange;
  /** The part of the searcher's profile that was kept, white space folded; the ranker reads it after the query. */
  profile?: TextRange;
}

/** What a model reads of the document: its title, if it has one, then a passage of its text. */
export interface DocumentReading extends TokenCounts {
  /** The part of the title that was kept; absent without a title. */
  title?: TextRange;
  /** The passage of the text that the model was given. */
  passage: TextRange;
  /** The part of the passage that was kept: also a range of the whole text. */
  text: TextRange;
}

/** A clause of the filter, and what came of it for the document. */
export interface FilterClause {
  /** Its place, as in messages about the filter: `filter.and[1].eq`. */
  path: string;
  operator: 'and' | 'or' | 'not' | 'eq' | 'in' | 'lt' | 'lte' | 'gt' | 'gte' | 'exists' | 'near';
  passes: boolean;
  /** Of a comparison: the attribute. */
  attribute?: string;
  /** What it is compared with: a value, the values of `in`, `{ lat, lon, metres }` of `near`. */
  wanted?: JsonValue;
  /** The document's value, `null` if it has none. Timestamps are ISO 8601 texts. */
  value?: JsonValue;
  /** Clauses inside `and`, `or` and `not`. */
  clauses?: FilterClause[];
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

/** The document's place in one list of retrieval, over all documents that pass the filter. */
export interface ListPlace {
  /** 1 is best: documents that come before it, plus one. Exact, also beyond the list's end. */
  rank: number;
  /** Documents that the list would have if it were not cut. */
  of: number;
  /** Whether the rank is within the list, which is cut to `RetrievalExplanation.listLength`. */
  listed: boolean;
}

export interface DenseExplanation extends ListPlace {
  /** The embedder. */
  model: string;
  /** Exact cosine of the query and the best passage; with `features` their weighted sum. */
  score: number;
  /** Only with an embedder that weighs attributes. */
  features?: {
    /** What the weighted cosine adds to the score. */
    similarity: number;
    attributes: FeatureAddend[];
  };
  query: QueryReading;
  /** Of the best passage. */
  document: DocumentReading;
}

/** What an attribute of a document adds to its score. */
export interface FeatureAddend {
  attribute: string;
  /** As a number: a timestamp in milliseconds, a boolean as 0 or 1; null if the document has none, which adds 0. */
  value: number | null;
  /** For each deviation of the value from the mean. */
  weight: number;
  addend: number;
}

export interface Bm25Explanation extends Partial<ListPlace> {
  /** Whether the document has a word of the query; without one it has no score and no rank. */
  matches: boolean;
  score?: number;
  /** Distinct words of the query that title or text have, and those that they lack; case and accents are folded. */
  words: { has: string[]; lacks: string[] };
}

/** Reciprocal rank fusion: each list adds `1 / (constant + rank)` for documents in it. */
export interface FusionExplanation {
  constant: number;
  addends: { list: 'dense' | 'bm25'; rank: number; addend: number }[];
  /** Sum of the addends: the score of fused retrieval. 0 if the document is in no list. */
  sum: number;
}

export interface RetrievalExplanation {
  mode: RetrieveMode;
  /** Documents that pass the filter. */
  passing: number;
  /** Length that each list is cut to. */
  listLength: number;
  /** Documents retrieved: those of the list, or of both. */
  retrieved: number;
  /** Place among them, 1 is best, and the score that gave it; absent if it is not among them. */
  rank?: number;
  score?: number;
  /** Absent if the mode is `bm25`. */
  dense?: DenseExplanation;
  /** Absent if the mode is `dense`. */
  bm25?: Bm25Explanation;
  /** Absent unless the mode is `fused`. */
  fusion?: FusionExplanation;
}

/** `score = blend · rankerZ + (1 − blend) · retrievalZ`, z-scores over the documents that the ranker read. */
export interface RankingExplanation {
  /** The ranker. */
  model: string;
  /** Documents that the ranker read: the best of retrieval, as many as the depth at most. */
  read: number;
  /** The ranker's score, higher is better. */
  logit: number;
  rankerZ: number;
  retrievalZ: number;
  /** Weight of the ranker's z-score, 0 to 1. */
  blend: number;
  score: number;
  /** Rank by retrieval and by the blended score, 1 is best. */
  before: number;
  after: number;
  query: QueryReading;
  document: DocumentReading;
}

/**
 * - `ranked`: retrieved and read by the ranker, which decided its rank
 * - `retrieved`: retrieved, but beyond the depth, or there is no ranker: it keeps the rank of retrieval
 * - `notRetrieved`: passes the filter, but is in no list of retrieval
 * - `filteredOut`: does not pass the filter
 * - `noDocument`: there is no document with this id
 * - `noQuery`: the query has no text, so nothing is found
 */
export type Outcome = 'ranked' | 'retrieved' | 'notRetrieved' | 'filteredOut' | 'noDocument' | 'noQuery';

/** Why a document stands where it does for a query. All numbers are those of a search with the same options. */
export interface Explanation {
  /** The query as it is understood: white space folded. */
  query: string;
  id: string;
  /** Absent without one. */
  title?: string;
  /** Whether a search that pages far enough shows the document: `ranked` or `retrieved`. */
  found: boolean;
  outcome: Outcome;
  /** One sentence that says why it stands there. */
  reason: string;
  /** Rank, score and scores as a hit has them; absent unless found. */
  rank?: number;
  score?: number;
  scores?: StageScores;
  /** The stage that decided the rank; absent unless found. */
  decidedBy?: RetrieveMode | 'ranker';
  /** Absent without a filter. */
  filter?: FilterClause;
  /** Absent where nothing was searched: for `filteredOut`, `noDocument` and `noQuery`. */
  retrieval?: RetrievalExplanation;
  /** Present for `ranked`. */
  ranking?: RankingExplanation;
  /** Generation of the index that was looked at. */
  generation: number;
  device: DeviceName;
}
