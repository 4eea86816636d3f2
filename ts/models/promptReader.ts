import type { PairReader, ReadQuery } from './pairReader.ts';
import type { PromptTokens } from './promptTokens.ts';
import { readingOf } from './readingOf.ts';
import type { PartIds, Tokenizer } from './tokenizer.ts';

/** A query within a prompt. */
export interface PromptedQuery extends ReadQuery {
  /** All that is read before a document. */
  readonly prefix: readonly number[];
}

/** Reads both texts within a prompt, `maxTokens` with all of it; `limit` is below 2 where it leaves too little room. */
export function promptReader(
  tokenizer: Tokenizer,
  prompt: PromptTokens,
  maxTokens: number,
): PairReader<PromptedQuery> {
  const { suffix } = prompt;
  const limit = maxTokens - prompt.prefix('').length - suffix.length;
  const half = Math.floor(limit / 2);
  const readQuery = (query: string): PartIds => tokenizer.plain(query, half);
  const counted = { part: tokenizer.plain };
  return {
    tokenizer: counted,
    maxTokens,
    limit,
    readQuery,
    readDocument: (document, most) => prompt.document(document, most),
    async begin(query) {
      const { truncated } = readQuery(query);
      const { end } = truncated ? await readingOf(query, readQuery, counted) : { end: query.length };
      const prefix = prompt.prefix(query.slice(0, end));
      return {
        prefix,
        truncated,
        room: maxTokens - prefix.length - suffix.length,
        pair({ ids, truncated: isCut }) {
          const all = Int32Array.of(...prefix, ...ids, ...suffix);
          return { ids: all, types: new Uint8Array(all.length), truncated: isCut };
        },
      };
    },
  };
}
