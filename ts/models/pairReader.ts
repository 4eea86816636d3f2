import type { PartIds, TokenIds, Tokenizer } from './tokenizer.ts';

/** A query that documents are read beside. */
export interface ReadQuery {
  /** Whether only the head of the query is read. */
  truncated: boolean;
  /** Tokens of a document that are read beside it at most. */
  room: number;
  /** Query and document as the model reads them. */
  pair(document: PartIds): TokenIds;
}

/** How queries and documents are cut and joined: what a ranker reads when it serves and when it is trained. */
export interface PairReader<Query extends ReadQuery = ReadQuery> {
  /** By which the words of a query are counted. */
  readonly tokenizer: Pick<Tokenizer, 'part'>;
  /** Tokens of a pair at most, with all that is around the texts. */
  readonly maxTokens: number;
  /** Tokens of a document at most, beside an empty query. */
  readonly limit: number;
  /** The query's tokens that are read: half of the room at most, so that the document is read, too. */
  readQuery(query: string): PartIds;
  /** At most `limit` tokens of a document. */
  readDocument(document: string, limit: number): PartIds;
  begin(query: string): Promise<Query>;
}
