import type { CrossEncoder } from '../../models/crossEncoder.ts';

/** A document that retrieval found, best first. */
export interface Candidate {
  text: string;
  /** Score of the retrieval stage, higher is better. */
  retrieval: number;
}

export interface Ranked {
  /** Positions in the candidates, best first: those that the ranker scored, then the others as they came. */
  order: number[];
  /** Logits by candidate; `undefined` where the deadline came first. */
  logits: (number | undefined)[];
  /** Scores that decided the order, by candidate; `undefined` likewise. */
  blended: (number | undefined)[];
  /** What was blended: z-scores by candidate that the ranker scored, and the weight of the ranker's. */
  parts: { ranker: number[]; retrieval: number[]; blend: number };
  /** How many candidates the ranker scored. */
  ranked: number;
  /** Candidates of whose text the ranker read only the head. */
  truncated: number;
  /** Whether the ranker read only the head of the query. */
  queryTruncated: boolean;
}

/**
 * Orders candidates by `blend · z(ranker) + (1 − blend) · z(retrieval)`, z-scores over the candidates of this query
 * (population standard deviation; 0 where all are equal). The weight comes with the ranker (`seine.json`); a ranker
 * that brings none decides alone. Ties keep the order of retrieval.
 */
export async function rank(
  query: string,
  candidates: Candidate[],
  ranker: CrossEncoder,
  options: { signal?: AbortSignal | undefined; deadline?: number | undefined },
): Promise<Ranked> {
  const texts = candidates.map((candidate) => candidate.text);
  const { scores, scored, truncated, queryTruncated } = await ranker.score(query, texts, options);
  const blend = ranker.blend ?? 1;
  const logits = standardise(scores.subarray(0, scored));
  const retrieval = standardise(candidates.slice(0, scored).map((candidate) => candidate.retrieval));
  const final = logits.map((z, i) => blend * z + (1 - blend) * retrieval[i]!);
  const head = final.map((_, i) => i).sort((a, b) => final[b]! - final[a]! || a - b);
  const tail = candidates.slice(scored).map((_, i) => scored + i);
  return {
    order: [...head, ...tail],
    logits: candidates.map((_, i) => (i < scored ? scores[i] : undefined)),
    blended: candidates.map((_, i) => final[i]),
    ranked: scored,
    parts: { ranker: logits, retrieval, blend },
    truncated,
    queryTruncated,
  };
}

/** z-scores with the population standard deviation; all zero if the values are equal. */
function standardise(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const deviation = Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length);
  return list.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}
