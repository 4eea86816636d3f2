import { SeineError, show } from './core/errors.ts';
import { scorePairs } from './online/rank/scorePairs.ts';
import { modelText } from './online/retrieve/embed.ts';
import { understand } from './online/understand/understand.ts';
import { checkRequest, type RequestOptions } from './requestOptions.ts';
import type { Engine } from './search.ts';

/** A text to be ranked; the ranker reads its title, if it has one, before it. */
export type RankText = string | { title?: string | undefined; text: string };

/**
 * A text, or vectors `[tokens, hidden]` that stand where the embeddings of its tokens would: what a document was
 * compressed to, for a language model as ranker that was trained to read it.
 */
export type RankDocument = RankText | { vectors: Float32Array };

export interface RankOptions extends RequestOptions {
  /** In short batches, between which other calls go first, and without the score cache: for work beside searches. */
  background?: boolean | undefined;
  /** Tokens of each document that the ranker reads at most; then `tokens` counts them. */
  maxTokens?: number | undefined;
}

export interface RankResult {
  /** `[documents]`: the ranker's logits, higher is better; NaN where the deadline came first. */
  scores: Float32Array;
  /** Documents that have a score. */
  ranked: number;
  /** Documents whose score came from the cache, or from equal work that was under way already. */
  cached: number;
  /** Documents of which the ranker read only the head. */
  truncated: number;
  /** Whether the ranker read only the head of the query with the profile. */
  queryTruncated: boolean;
  /** `[documents]`: tokens of each document that are read, if `maxTokens` was given; 0 beyond the deadline. */
  tokens?: Uint32Array;
}

const OPTIONS = ['background', 'maxTokens', 'searcher', 'deadlineMs', 'signal'];

/** Scores documents that need not be in the index for a query. */
export async function rankTexts(
  query: string,
  documents: RankDocument[],
  { ranker, scoreCache }: Pick<Engine, 'ranker' | 'scoreCache'>,
  options: RankOptions,
): Promise<RankResult> {
  const { searcher, ...limits } = checkRequest(options, OPTIONS);
  if (typeof query !== 'string') {
    throw new SeineError('ERR_ARGUMENT', `The query must be a string, got ${show(query)}.`);
  }
  if (!Array.isArray(documents)) {
    throw new SeineError('ERR_ARGUMENT', `documents must be an array, got ${show(documents)}.`);
  }
  const given = documents.map(contentOf);
  if (ranker === undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      "The index was opened with the ranker 'none', so nothing can be ranked: open it with a ranker.",
    );
  }
  limits.signal?.throwIfAborted();
  const question = { query: understand(query).text, searcher };
  const { background, maxTokens } = options;
  if (background !== undefined && typeof background !== 'boolean') {
    throw new SeineError('ERR_ARGUMENT', `background must be true or false, got ${show(background)}.`);
  }
  const heads = maxTokens === undefined ? undefined : await ranker.heads(textsOf(given), maxTokens, limits);
  const { logits, ...rest } = await scorePairs(question, heads?.texts ?? given, ranker, {
    ...limits,
    background,
    cache: scoreCache,
  });
  return {
    scores: Float32Array.from(given, (_, i) => logits[i] ?? Number.NaN),
    ranked: logits.filter((logit) => logit !== undefined).length,
    ...rest,
    ...(heads !== undefined && { tokens: Uint32Array.from(given, (_, i) => heads.tokens[i] ?? 0) }),
  };
}

/** Documents that are all texts, for vectors have no heads. */
function textsOf(documents: (string | Float32Array)[]): string[] {
  return documents.map((document, i) => {
    if (typeof document === 'string') return document;
    throw new SeineError(
      'ERR_ARGUMENT',
      `maxTokens cuts texts, but the document at index ${i} is given as vectors, which are taken whole: leave it out.`,
    );
  });
}

function contentOf(document: RankDocument, i: number): string | Float32Array {
  if (typeof document === 'string') return document;
  if (typeof document !== 'object' || document === null) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `documents must be strings or objects with a text, got ${show(document)} at index ${i}.`,
    );
  }
  if ('vectors' in document) return document.vectors;
  const { title, text } = document;
  if (typeof text !== 'string') {
    throw new SeineError('ERR_ARGUMENT', `documents must have a text, got ${show(text)} at index ${i}.`);
  }
  if (title !== undefined && typeof title !== 'string') {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The title of a document must be a string, got ${show(title)} at index ${i}.`,
    );
  }
  return modelText(title, text);
}
