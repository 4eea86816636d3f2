export interface Scored {
  /** Index of the document in the order of adding. */
  document: number;
  score: number;
}

/** Okapi BM25 (k1 1.2, b 0.75) over lower-cased words, in memory, for mining candidates. */
export class LexicalIndex {
  private readonly postings = new Map<string, { documents: number[]; counts: number[] }>();
  private readonly lengths: number[] = [];
  private words = 0;

  constructor(texts: readonly string[]) {
    texts.forEach((text, document) => {
      const counts = new Map<string, number>();
      let length = 0;
      for (const word of wordsOf(text)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
        length++;
      }
      this.lengths.push(length);
      this.words += length;
      for (const [word, count] of counts) {
        let posting = this.postings.get(word);
        if (!posting) {
          posting = { documents: [], counts: [] };
          this.postings.set(word, posting);
        }
        posting.documents.push(document);
        posting.counts.push(count);
      }
    });
  }

  /** At most `k` documents that share a word with the query, best first, equal scores in order of adding. */
  search(query: string, k: number): Scored[] {
    const total = this.lengths.length;
    const average = this.words / total;
    const scores = new Float64Array(total);
    for (const word of new Set(wordsOf(query))) {
      const posting = this.postings.get(word);
      if (!posting) continue;
      const { documents, counts } = posting;
      const idf = Math.log(1 + (total - documents.length + 0.5) / (documents.length + 0.5));
      for (let i = 0; i < documents.length; i++) {
        const document = documents[i]!;
        const count = counts[i]!;
        const length = 1 - 0.75 + (0.75 * this.lengths[document]!) / average;
        scores[document]! += (idf * count * 2.2) / (count + 1.2 * length);
      }
    }
    return topScores(scores, k).filter(({ score }) => score > 0);
  }
}

export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** The `k` best of `scores`, best first, equal scores by rising index. */
export function topScores(scores: ArrayLike<number>, k: number): Scored[] {
  const best: Scored[] = [];
  for (let document = 0; document < scores.length; document++) {
    const score = scores[document]!;
    if (best.length === k && score <= best[k - 1]!.score) continue;
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (best[middle]!.score >= score) low = middle + 1;
      else high = middle;
    }
    best.splice(low, 0, { document, score });
    if (best.length > k) best.pop();
  }
  return best;
}
