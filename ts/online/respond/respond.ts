import type { Attributes, Hit, StageScores } from '../../core/types.ts';
import { snippet } from './snippet.ts';

/** A retrieved document, as the stages before left it. */
export interface Retrieval {
  document: { id: string; title?: string | undefined; text: string; attributes: Attributes };
  /** Range in the text of the passage that matched best. */
  passage: { start: number; end: number };
  retrieval: number;
  scores: StageScores;
}

/** What ranking made of the first documents, by their position. */
export interface Ranking {
  order: number[];
  logits: (number | undefined)[];
  blended: (number | undefined)[];
}

/**
 * The page from `offset` on, `k` hits at most: documents in the order of ranking, those that it did not read behind
 * as they came; each with the passage that matched, cut to a snippet.
 */
export function respond(
  documents: Retrieval[],
  ranking: Ranking | undefined,
  query: string,
  page: { offset: number; k: number },
): Hit[] {
  return shownOrder(documents.length, ranking)
    .slice(page.offset, page.offset + page.k)
    .map((at, i) => {
      const { document, passage, retrieval, scores } = documents[at]!;
      const logit = ranking?.logits[at];
      return {
        id: document.id,
        rank: page.offset + i + 1,
        score: ranking?.blended[at] ?? retrieval,
        scores: { ...scores, ...(logit !== undefined && { ranker: logit }) },
        ...(document.title !== undefined && document.title !== '' && { title: document.title }),
        ...snippet(document.text.slice(passage.start, passage.end), query),
        attributes: document.attributes,
      };
    });
}

/** Positions of documents in the order of ranking, those that it did not read behind as they came. */
export function shownOrder(documents: number, ranking: Ranking | undefined): number[] {
  const read = ranking?.order ?? [];
  return [...read, ...Array.from({ length: documents - read.length }, (_, i) => read.length + i)];
}
