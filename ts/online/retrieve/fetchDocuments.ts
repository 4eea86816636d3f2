import type { StageScores } from '../../core/types.ts';
import type { Store } from '../../store/store.ts';
import type { StoredDocument } from '../../store/types.ts';
import { type Found, type Retrieved, StaleSnapshot } from './retrieve.ts';

/** A retrieved document with its content. */
export interface FetchedDocument {
  document: StoredDocument;
  /** Range in the document's text of the passage that matched best; without a vector, of the whole text. */
  passage: { start: number; end: number };
  /** Score of the retrieval stage, higher is better. */
  retrieval: number;
  scores: StageScores;
}

/** Reads the best `count` documents that were found for a query, in their order. */
export async function fetchDocuments(
  store: Store,
  { mirror }: Retrieved,
  found: Found,
  count: number,
  fused: boolean,
): Promise<FetchedDocument[]> {
  const { ranking, dense } = found;
  const ordinals = ranking.docs.subarray(0, count);
  const documents = await store.documents(ordinals.map((ordinal) => mirror.key(ordinal)));
  return documents.map((document, i) => {
    if (document === undefined) throw new StaleSnapshot(); // purged by another process
    const best = dense.get(ordinals[i]!);
    return {
      document,
      passage: best === undefined ? { start: 0, end: document.text.length } : mirror.passage(best.row),
      retrieval: ranking.scores[i]!,
      scores: scoresOf(found, i, fused),
    };
  });
}

/** Scores of the document at a position, from 0, of the ranking. */
export function scoresOf({ ranking, dense, bm25 }: Found, at: number, fused: boolean): StageScores {
  const byVector = dense.get(ranking.docs[at]!);
  const byWords = bm25.get(ranking.docs[at]!);
  return {
    ...(byVector !== undefined && { dense: byVector.score }),
    ...(byWords !== undefined && { bm25: byWords }),
    ...(fused && { fused: ranking.scores[at]! }),
  };
}
