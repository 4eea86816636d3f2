/** Constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009). */
export const RRF_CONSTANT = 60;

/** What a list adds for the document at a rank from 1. */
export const reciprocalRank = (rank: number): number => 1 / (RRF_CONSTANT + rank);

/** Documents by ordinal, best first. */
export interface Ranking {
  docs: Uint32Array;
  /** Higher is better. */
  scores: Float64Array;
}

/** Reciprocal rank fusion: a document scores `Σ 1 / (60 + rank)` over the lists; ties go to the lower ordinal. */
export function fuse(rankings: Ranking[]): Ranking {
  const sums = new Map<number, number>();
  for (const { docs } of rankings) {
    docs.forEach((doc, i) => {
      sums.set(doc, (sums.get(doc) ?? 0) + reciprocalRank(i + 1));
    });
  }
  const order = [...sums].sort(([docA, a], [docB, b]) => b - a || docA - docB);
  return {
    docs: Uint32Array.from(order, ([doc]) => doc),
    scores: Float64Array.from(order, ([, sum]) => sum),
  };
}
