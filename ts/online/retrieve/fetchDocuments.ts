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
  { ranking, dense, bm25 }: Found,
  count: number,
  fused: boolean,
): Promise<FetchedDocument[]> {
  const ordinals = ranking.docs.subarray(0, count);
  const documents = await store.documents(ordinals.map((ordinal) => mirror.key(ordinal)));
  return documents.map((document, i) => {
    if (document === undefined) throw new StaleSnapshot(); // purged by another process
    const ordinal = ordinals[i]!;
    const retrieval = ranking.scores[i]!;
    const byVector = dense.get(ordinal);
    const byWords = bm25.get(ordinal);
    return {
      document,
      passage:
        byVector === undefined ? { start: 0, end: document.text.length } : mirror.passage(byVector.row),
      retrieval,
      scores: {
        ...(byVector !== undefined && { dense: byVector.score }),
        ...(byWords !== undefined && { bm25: byWords }),
        ...(fused && { fused: retrieval }),
      },
    };
  });
}
