import type { PartIds, Tokenizer } from './tokenizer.ts';

/** Scores of some documents. */
export interface PlacedScores {
  /** Indices of the documents. */
  places: readonly number[];
  scores: Float32Array;
}

/** A query that documents are scored for. */
export interface BegunQuery {
  /** Whether only the head of the query is read. */
  truncated: boolean;
  /** Tokens of a document that are read beside it at most. */
  room: number;
  /** Scores documents, batch by batch, in any order. */
  score(documents: readonly PartIds[]): AsyncIterable<PlacedScores>;
}

/** How a model reads and scores pairs of texts. Lives in one thread. */
export interface PairModel {
  /** By which the words of a query are counted. */
  readonly tokenizer: Pick<Tokenizer, 'part'>;
  /** Tokens of a pair at most, with all that is around the texts. */
  readonly maxTokens: number;
  /** Tokens of a document at most, beside an empty query. */
  readonly limit: number;
  /** Documents and tokens that are scored between two looks at the clock, where there is a deadline. */
  readonly chunk: { documents: number; tokens: number };
  /** The query's tokens that are read. */
  readQuery(query: string): PartIds;
  /** At most `limit` tokens of a document. */
  readDocument(document: string, limit: number): PartIds;
  begin(query: string): Promise<BegunQuery>;
  release(): Promise<void>;
}
