import { createHash } from 'node:crypto';
import type { Searcher } from '../../core/types.ts';

/** What the ranker reads before each document. */
export interface Question {
  query: string;
  /** Ranks for this searcher, whose profile is read after the query. */
  searcher?: Searcher | undefined;
}

/** Raised with every change of how `promptOf` puts texts together: scores of other prompts are of no use. */
const PROMPT_VERSION = 1;

/** The text that the ranker reads before a document. */
export function promptOf({ query, searcher }: Question): string {
  return searcher === undefined || searcher.profile === '' ? query : `${query} ${searcher.profile}`;
}

/** What a ranker's scores depend on, besides the texts. */
export interface RankerVersion {
  hash: string;
  maxTokens: number;
  /** Where it runs: other arithmetic gives other last digits. */
  provider: string;
}

/** A digest `[32]` of all that the scores of a question depend on but the documents. */
export function questionDigest({ query, searcher }: Question, ranker: RankerVersion): Buffer {
  const person = searcher === undefined ? null : [searcher.id, searcher.version, searcher.profile];
  // As JSON no two different lists of fields read the same, lone surrogates included.
  const fields = [ranker.hash, ranker.maxTokens, ranker.provider, PROMPT_VERSION, query, person];
  return createHash('sha256').update(JSON.stringify(fields)).digest();
}

/**
 * The key of a pair's score: 32 bytes as a string of as many characters. The text that the ranker reads is the
 * document's version, so a document that has changed never meets a score of what it was.
 */
export function pairKey(question: Buffer, document: string): string {
  return createHash('sha256').update(question).update(document, 'utf16le').digest().toString('latin1');
}
