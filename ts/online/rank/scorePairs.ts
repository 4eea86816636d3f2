import type { CrossEncoder } from '../../models/crossEncoder.ts';
import type { PairOptions, PairScores } from './pairScores.ts';
import { promptOf, type Question } from './prompt.ts';
import type { ScoreCache } from './scoreCache.ts';

export interface ScorePairsOptions extends PairOptions {
  /** Remembers scores, and shares those that several calls want at the same time. */
  cache?: ScoreCache | undefined;
}

/**
 * Scores documents, texts or vectors in their place, for a question. The cache knows texts only, and takes no part in what
 * is done in the background: nobody is to wait for that, and it would drive out what searches ask for.
 */
export async function scorePairs(
  question: Question,
  documents: (string | Float32Array)[],
  ranker: CrossEncoder,
  { cache, ...options }: ScorePairsOptions,
): Promise<PairScores> {
  if (cache !== undefined && !options.background && isAllText(documents))
    return cache.score(question, documents, ranker, options);
  const { scores, scored, truncated, queryTruncated } = await ranker.score(
    promptOf(question),
    documents,
    options,
  );
  return {
    logits: documents.map((_, i) => (i < scored ? scores[i] : undefined)),
    cached: 0,
    truncated: truncated.reduce((sum, cut) => sum + cut, 0),
    queryTruncated,
  };
}

const isAllText = (documents: (string | Float32Array)[]): documents is string[] =>
  documents.every((document) => typeof document === 'string');
