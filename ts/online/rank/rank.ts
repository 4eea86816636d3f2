import { meanAndDeviation } from '../../core/meanAndDeviation.ts';
import type { CrossEncoder } from '../../models/crossEncoder.ts';
import type { PairScores } from './pairScores.ts';
import type { Question } from './prompt.ts';
import { type ScorePairsOptions, scorePairs } from './scorePairs.ts';

/** A document that retrieval found, best first. */
export interface Candidate {
  text: string;
  /** Score of the retrieval stage, higher is better. */
  retrieval: number;
}

export interface Ranked extends PairScores {
  /** Positions in the candidates, best first: those that have a logit, then the others as they came. */
  order: number[];
  /** Scores that decided the order, by candidate; `undefined` where the deadline came first. */
  blended: (number | undefined)[];
  /** What was blended: z-scores by candidate, `undefined` likewise, and the weight of the ranker's. */
  parts: { ranker: (number | undefined)[]; retrieval: (number | undefined)[]; blend: number };
  /** How many candidates have a logit. */
  ranked: number;
}

/**
 * Orders candidates by `blend · z(ranker) + (1 − blend) · z(retrieval)`, z-scores over the candidates of this query
 * that have a logit (population standard deviation; 0 where all are equal). The weight comes with the ranker
 * (`seine.json`); a ranker that brings none decides alone. Ties keep the order of retrieval.
 */
export async function rank(
  question: Question,
  candidates: Candidate[],
  ranker: CrossEncoder,
  options: ScorePairsOptions,
): Promise<Ranked> {
  const texts = candidates.map((candidate) => candidate.text);
  const scores = await scorePairs(question, texts, ranker, options);
  const places = candidates.map((_, i) => i);
  const read = places.filter((i) => scores.logits[i] !== undefined);
  const logits = standardise(scores.logits);
  const retrieval = standardise(
    candidates.map((candidate, i) => (scores.logits[i] === undefined ? undefined : candidate.retrieval)),
  );
  const blend = ranker.blend ?? 1;
  const blended = places.map((i) => {
    const z = logits[i];
    return z === undefined ? undefined : blend * z + (1 - blend) * retrieval[i]!;
  });
  return {
    ...scores,
    order: [
      ...read.sort((a, b) => blended[b]! - blended[a]! || a - b),
      ...places.filter((i) => scores.logits[i] === undefined),
    ],
    blended,
    parts: { ranker: logits, retrieval, blend },
    ranked: read.length,
  };
}

/** z-scores of what is defined, with the population standard deviation; all zero if the values are equal. */
function standardise(values: (number | undefined)[]): (number | undefined)[] {
  const known = values.filter((value) => value !== undefined);
  const { mean, deviation } = meanAndDeviation(known);
  return values.map((value) => {
    if (value === undefined) return undefined;
    return deviation > 0 ? (value - mean) / deviation : 0;
  });
}
