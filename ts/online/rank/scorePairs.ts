import type { Searcher } from '../../core/types.ts';
import type { CrossEncoder } from '../../models/crossEncoder.ts';

/** What the ranker reads before each document. */
export interface Question {
  query: string;
  /** Ranks for this searcher, whose profile is read after the query. */
  searcher?: Searcher | undefined;
}

export interface PairOptions {
  signal?: AbortSignal | undefined;
  /** On `performance.now()`'s clock: no further documents are begun once it has passed. */
  deadline?: number | undefined;
}

export interface PairScores {
  /** Logits by document; `undefined` where the deadline came first. */
  logits: (number | undefined)[];
  /** Documents whose score came from the cache, or from equal work that was under way already. */
  cached: number;
  /** Documents that were scored of which the ranker read only the head. */
  truncated: number;
  /** Whether the ranker read only the head of the query with the profile. */
  queryTruncated: boolean;
}

/** The text that the ranker reads before a document. Whoever changes it raises `PROMPT_VERSION`. */
export function promptOf({ query, searcher }: Question): string {
  return searcher === undefined || searcher.profile === '' ? query : `${query} ${searcher.profile}`;
}

/** Scores documents for a question. */
export async function scorePairs(
  question: Question,
  documents: string[],
  ranker: CrossEncoder,
  options: PairOptions,
): Promise<PairScores> {
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
