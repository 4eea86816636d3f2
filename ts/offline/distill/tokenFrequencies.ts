import type { Tokenizer } from '../../models/tokenizer.ts';

/** Longest part of a text that is counted, in tokens. */
const LONGEST = 4096;

/** Relative frequency of each token, `[tokenizer.size]`: the mean over collections, so that a large one does not rule. */
export function tokenFrequencies(
  tokenizer: Tokenizer,
  collections: readonly (readonly string[])[],
): Float64Array {
  const frequencies = new Float64Array(tokenizer.size);
  for (const texts of collections) {
    const counts = new Float64Array(tokenizer.size);
    let total = 0;
    for (const text of texts) {
      for (const id of tokenizer.part(text, LONGEST).ids) {
        counts[id]!++;
        total++;
      }
    }
    counts.forEach((count, id) => {
      frequencies[id]! += count / total / collections.length;
    });
  }
  return frequencies;
}
