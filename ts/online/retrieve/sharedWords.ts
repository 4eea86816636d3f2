import { setImmediate } from 'node:timers/promises';
import { foldWord, queryWords, wordsOf } from '../../store/fullText.ts';

/** Words that are compared before other work gets a turn. */
const TURN_WORDS = 10_000;

/** Which of the query's words that count for BM25 a document has, as the query spells them, and which it lacks. */
export async function sharedWords(
  query: string,
  document: { title: string; text: string },
): Promise<{ has: string[]; lacks: string[] }> {
  const wanted = queryWords(query);
  const missing = new Set(wanted.keys());
  let turn = 0;
  for (const part of [document.title, document.text]) {
    for (const word of wordsOf(part)) {
      if (missing.size === 0) break;
      if (++turn % TURN_WORDS === 0) await setImmediate();
      missing.delete(foldWord(word));
    }
  }
  const words = [...wanted];
  return {
    has: words.filter(([folded]) => !missing.has(folded)).map(([, word]) => word),
    lacks: words.filter(([folded]) => missing.has(folded)).map(([, word]) => word),
  };
}
