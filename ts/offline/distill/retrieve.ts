import { openDevice } from '../../device/openDevice.ts';
import type { Encoder } from '../../models/encoder.ts';
import { type FeatureWeights, queryWeights, scaled } from '../../models/featureWeights.ts';
import { fuse as fuseRankings } from '../../online/retrieve/fuse.ts';
import type { TextItem } from './collection.ts';
import { LexicalIndex, type Scored } from './lexicalIndex.ts';
import { numberOf } from './numberOf.ts';

/** What the two searches find for a query, best first, equal scores by rising index. */
export interface Found {
  dense: Scored[];
  bm25: Scored[];
  /** Both by reciprocal ranks, constant 60. */
  fused: Scored[];
}

export interface RetrieveOptions {
  /** `[documents, dim]` */
  vectors: Float32Array;
  /** Embedder of the queries. */
  encoder: Encoder;
  /** Length of the dense and of the lexical list. */
  depth: number;
  signal?: AbortSignal | undefined;
}

/** For each query the documents that exact search, by cosines and what attributes the embedder weighs, and BM25 find. */
export async function retrieve(
  documents: readonly TextItem[],
  queries: readonly TextItem[],
  { vectors, encoder, depth, signal }: RetrieveOptions,
): Promise<Found[]> {
  if (queries.length === 0) return [];
  const lexical = new LexicalIndex(documents.map(({ text }) => text));
  const texts = queries.map(({ text }) => text);
  const { vectors: asked } = await encoder.encode(texts, { kind: 'query', signal });
  await using device = await openDevice('auto');
  const { dim, features } = encoder;
  const batch = { data: vectors, features: features && documentFeatures(documents, features) };
  const count = features?.features.length;
  const rows = await device.upload(batch, { dim, metric: 'cosine', dtype: 'f32', features: count });
  const weights = features && queryWeights(features, queries.length);
  const { ids, scores, counts, k } = await rows.search(asked, { k: depth, weights, signal });
  return texts.map((text, q) => {
    const dense = Array.from({ length: counts[q]! }, (_, i) => ({
      document: ids[q * k + i]!,
      score: scores[q * k + i]!,
    }));
    const bm25 = lexical.search(text, depth);
    return { dense, bm25, fused: fuse([dense, bm25]) };
  });
}

/** Lists as one by reciprocal ranks, best first, equal scores by rising index. */
export function fuse(lists: readonly (readonly Scored[])[]): Scored[] {
  const { docs, scores } = fuseRankings(
    lists.map((list) => ({
      docs: Uint32Array.from(list, ({ document }) => document),
      scores: Float64Array.from(list, ({ score }) => score),
    })),
  );
  return Array.from(docs, (document, i) => ({ document, score: scores[i]! }));
}

/** The attributes of documents that an embedder weighs, scaled, `[documents, features]`. */
function documentFeatures(documents: readonly TextItem[], { features }: FeatureWeights): Float32Array {
  return Float32Array.from(
    documents.flatMap(({ metadata }) =>
      features.map((feature) => scaled(numberOf(metadata[feature.attribute]), feature)),
    ),
  );
}
