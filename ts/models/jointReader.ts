import type { PairReader } from './pairReader.ts';
import type { PartIds, Tokenizer } from './tokenizer.ts';

/** Reads both texts between special tokens, `maxTokens` together. */
export function jointReader(tokenizer: Tokenizer, maxTokens: number): PairReader {
  const limit = maxTokens - tokenizer.specials.pair;
  const half = Math.min(limit, Math.floor(maxTokens / 2));
  const readQuery = (query: string): PartIds => tokenizer.part(query, half);
  return {
    tokenizer,
    maxTokens,
    limit,
    readQuery,
    readDocument: (document, most) => tokenizer.part(document, most),
    async begin(query) {
      const first = readQuery(query);
      return {
        truncated: first.truncated,
        room: limit - first.ids.length,
        pair: (document) => tokenizer.pair(first, document),
      };
    },
  };
}
