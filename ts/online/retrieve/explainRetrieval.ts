import { countBits } from '../../core/bitset.ts';
import type { FusionExplanation, RetrievalExplanation } from '../../core/explanation.ts';
import type { RetrieveMode } from '../../core/types.ts';
import { RRF_CONSTANT, reciprocalRank } from './fuse.ts';
import type { BestRow, Found, Retrieved } from './retrieve.ts';

interface Place {
  rank: number;
  of: number;
  listed: boolean;
}

/** A document's places in what was retrieved; what models and texts say about them is added by others. */
export interface RetrievalPlaces
  extends Pick<
    RetrievalExplanation,
    'mode' | 'passing' | 'listLength' | 'retrieved' | 'rank' | 'score' | 'fusion'
  > {
  dense?: Place & BestRow;
  bm25?: { matches: boolean } & Partial<Place & { score: number }>;
}

/** Finds a document that passes the filter in what was retrieved `whole` for a query. */
export function explainRetrieval(
  { documents }: Retrieved,
  { ranking, whole }: Found,
  ordinal: number,
  { mode, limit }: { mode: RetrieveMode; limit: number },
): RetrievalPlaces {
  const at = ranking.docs.indexOf(ordinal);
  const byVector = whole?.dense && placeIn(whole.dense, ordinal, limit);
  const byWords = whole?.bm25 && placeIn(whole.bm25, ordinal, limit);
  const addends = [addend('dense', byVector?.place), addend('bm25', byWords?.place)].flat();
  return {
    mode,
    passing: countBits(documents),
    listLength: limit,
    retrieved: ranking.docs.length,
    ...(at >= 0 && { rank: at + 1, score: ranking.scores[at]! }),
    ...(byVector && { dense: { ...byVector.place, ...byVector.entry } }),
    ...(whole?.bm25 && {
      bm25: byWords ? { matches: true, ...byWords.place, score: byWords.entry } : { matches: false },
    }),
    ...(mode === 'fused' && {
      fusion: { constant: RRF_CONSTANT, addends, sum: at < 0 ? 0 : ranking.scores[at]! },
    }),
  };
}

function placeIn<T>(
  list: Map<number, T>,
  ordinal: number,
  limit: number,
): { place: Place; entry: T } | undefined {
  const entry = list.get(ordinal);
  if (entry === undefined) return undefined;
  const rank = [...list.keys()].indexOf(ordinal) + 1;
  return { place: { rank, of: list.size, listed: rank <= limit }, entry };
}

function addend(list: 'dense' | 'bm25', place: Place | undefined): FusionExplanation['addends'] {
  return place?.listed ? [{ list, rank: place.rank, addend: reciprocalRank(place.rank) }] : [];
}
