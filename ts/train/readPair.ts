import type { PromptTokens } from '../models/promptTokens.ts';
import { readingOf } from '../models/readingOf.ts';
import type { PartIds, TokenIds, Tokenizer } from '../models/tokenizer.ts';

/** The tokens of a query with a document, as a ranker reads them when it serves. */
export type ReadPair = (query: string) => Promise<(document: string) => TokenIds>;

/** Both texts between special tokens; of the query half of the room at most, so that the document is read, too. */
export function readTogether(tokenizer: Tokenizer, maxTokens: number): ReadPair {
  const room = maxTokens - tokenizer.specials.pair;
  return async (query) => {
    const first: PartIds = tokenizer.part(query, Math.min(room, Math.floor(maxTokens / 2)));
    return (document) => tokenizer.pair(first, tokenizer.part(document, room - first.ids.length));
  };
}

/** Both texts within a prompt; of the query half of the prompt's room at most. */
export function readPrompted(tokenizer: Tokenizer, prompt: PromptTokens, maxTokens: number): ReadPair {
  const { suffix } = prompt;
  const room = maxTokens - suffix.length;
  const half = Math.floor((room - prompt.prefix('').length) / 2);
  const readQuery = (query: string): PartIds => tokenizer.plain(query, half);
  return async (query) => {
    const { end } = await readingOf(query, readQuery, { part: tokenizer.plain });
    const prefix = prompt.prefix(query.slice(0, end));
    return (document) => {
      const { ids, truncated } = prompt.document(document, room - prefix.length);
      const all = Int32Array.of(...prefix, ...ids, ...suffix);
      return { ids: all, types: new Uint8Array(all.length), truncated };
    };
  };
}
