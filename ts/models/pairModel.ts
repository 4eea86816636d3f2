import type { PairReader, ReadQuery } from './pairReader.ts';
import type { PartIds } from './tokenizer.ts';

/** Scores of some documents. */
export interface PlacedScores {
  /** Indices of the documents. */
  places: readonly number[];
  scores: Float32Array;
  /** Of the batch that they were scored in, padding included. */
  tokens: number;
}

/** What of a document is scored: its tokens, or vectors `[tokens, hidden]` in the place of their embeddings. */
export interface DocumentPart extends PartIds {
  vectors?: Float32Array;
}

/** A query that documents are scored for. */
export interface BegunQuery extends Omit<ReadQuery, 'pair'> {
  /** Scores documents, batch by batch, in any order; `budget` as `batches` takes it. */
  score(documents: readonly DocumentPart[], budget: number | (() => number)): AsyncIterable<PlacedScores>;
}

/** How a model reads and scores pairs of texts. Lives in one thread. */
export interface PairModel extends Omit<PairReader, 'begin'> {
  /** Documents and tokens that are scored between two looks at the clock, where there is a deadline. */
  readonly chunk: { documents: number; tokens: number };
  /** Tokens of a batch, padding included, at most. */
  readonly batchTokens: number;
  /**
   * Vectors of a document that was compressed to them, all of which must fit beside the query. Throws `ERR_ARGUMENT`
   * where the model takes no vectors, or for another width or more vectors than there is room for.
   */
  readVectors(vectors: Float32Array, room: number): DocumentPart;
  begin(query: string): Promise<BegunQuery>;
  release(): Promise<void>;
}
