import type { Connection } from './connection.ts';
import type { Calls } from './protocol.ts';
import type { Bm25Hits } from './types.ts';

/** Distinct words of a query that count. */
const WORDS = 1000;
/** What the index's tokenizer takes for a word: letters, digits and private characters, with marks inside. */
const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu;

/** A word as the index compares it: without case and accents. */
export const foldWord = (word: string): string => word.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');

/** The words of a text that the index tells apart, in their order, one after another. */
export function* wordsOf(text: string): Generator<string, void, void> {
  for (const [word] of text.matchAll(WORD)) yield word;
}

/** Distinct words of a query that count: by what they are folded to, as they first stand there. */
export function queryWords(query: string): Map<string, string> {
  const seen = new Set<string>();
  const words = new Map<string, string>();
  for (const word of wordsOf(query)) {
    if (seen.has(word)) continue;
    seen.add(word);
    const folded = foldWord(word);
    if (!words.has(folded)) words.set(folded, word);
    if (words.size === WORDS) break;
  }
  return words;
}

/**
 * A query as an FTS5 expression: the OR of its distinct words, each quoted, so that nothing is syntax.
 * `undefined` if there is no word.
 */
export function matchExpression(query: string): string | undefined {
  const words = [...queryWords(query).values()];
  return words.length === 0 ? undefined : words.map((word) => `"${word}"`).join(' OR ');
}

/** Full-text search of one connection. */
export class FullText {
  readonly #connection: Connection;
  #mask: Uint32Array = new Uint32Array(0);

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.database.function('passes', (doc: number) => (this.#mask[doc >>> 5]! >>> (doc & 31)) & 1);
  }

  search({ query, limit, mask }: Calls['bm25']['args']): Bm25Hits {
    const connection = this.#connection;
    const expression = matchExpression(query);
    return connection.snapshot(() => {
      const generation = connection.counter('generation');
      const lastRemoval = Math.max(
        connection.counter('complete_since'),
        connection.one<{ last: number | null }>(
          'SELECT max(deleted) AS last FROM documents WHERE deleted IS NOT NULL',
        )?.last ?? 0,
      );
      if (expression === undefined) {
        return { docs: new Uint32Array(0), scores: new Float64Array(0), generation, lastRemoval };
      }
      if (mask !== undefined) this.#mask = mask;
      const hits = connection.all<{ doc: number; score: number }>(
        `SELECT rowid AS doc, -bm25(words) AS score FROM words WHERE words MATCH ?
          ${mask === undefined ? '' : 'AND passes(rowid)'} ORDER BY score DESC, doc LIMIT ?`,
        expression,
        limit,
      );
      return {
        docs: Uint32Array.from(hits, (hit) => hit.doc),
        scores: Float64Array.from(hits, (hit) => hit.score),
        generation,
        lastRemoval,
      };
    });
  }
}
