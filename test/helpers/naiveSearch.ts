import type { Metric } from '../../ts/core/types.ts';

export interface NaiveResult {
  ids: number[];
  scores: number[];
  counts: number[];
}

/** Exact search as its definition reads, written without the code under test: score all, sort all. */
export function naiveSearch(
  data: ArrayLike<number>,
  queries: ArrayLike<number>,
  dim: number,
  metric: Metric,
  k: number,
  passes: (id: number) => boolean = () => true,
): NaiveResult {
  const result: NaiveResult = { ids: [], scores: [], counts: [] };
  const lowerIsBetter = metric === 'l2' || metric === 'hamming';
  const empty = lowerIsBetter ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  for (let query = 0; query < queries.length / dim; query++) {
    const scored: { id: number; score: number }[] = [];
    for (let id = 0; id < data.length / dim; id++) {
      if (!passes(id)) continue;
      let dot = 0;
      let lengthOfQuery = 0;
      let lengthOfRow = 0;
      let distance = 0;
      let differing = 0;
      for (let i = 0; i < dim; i++) {
        const a = queries[query * dim + i]!;
        const b = data[id * dim + i]!;
        dot += a * b;
        lengthOfQuery += a * a;
        lengthOfRow += b * b;
        distance += (a - b) * (a - b);
        if (a > 0 !== b > 0) differing++;
      }
      const lengths = Math.sqrt(lengthOfQuery) * Math.sqrt(lengthOfRow);
      const cosine = lengths === 0 ? 0 : dot / lengths;
      const exact = { ip: dot, l2: distance, cosine, hamming: differing }[metric];
      const score = Math.fround(exact);
      scored.push({ id, score: score === 0 ? 0 : score });
    }
    scored.sort((a, b) => {
      if (a.score === b.score) return a.id - b.id;
      return lowerIsBetter === a.score < b.score ? -1 : 1;
    });
    const kept = scored.slice(0, k);
    result.counts.push(kept.length);
    for (let slot = 0; slot < k; slot++) {
      result.ids.push(kept[slot]?.id ?? 0xffffffff);
      result.scores.push(kept[slot]?.score ?? empty);
    }
  }
  return result;
}
