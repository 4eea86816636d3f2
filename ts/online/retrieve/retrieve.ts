import { type Bitset, countBits, zeros } from '../../core/bitset.ts';
import type { FilterExpression, RetrieveMode } from '../../core/types.ts';
import type { Encoder } from '../../models/encoder.ts';
import type { Store } from '../../store/store.ts';
import type { StoreModel } from '../../store/types.ts';
import type { Collection } from './collection.ts';
import { evaluateFilter } from './filter.ts';
import { fuse, type Ranking } from './fuse.ts';
import type { Mirror } from './mirror.ts';

export interface RetrieveOptions {
  mode: RetrieveMode;
  /** Documents wanted from each list. */
  limit: number;
  filter?: FilterExpression | undefined;
  signal?: AbortSignal | undefined;
}

/** Documents found for one query, best first, with the scores of each way that found them. */
export interface Found {
  ranking: Ranking;
  /** By ordinal: cosine of the best passage, and its row. */
  dense: Map<number, { score: number; row: number }>;
  /** By ordinal. */
  bm25: Map<number, number>;
  /** Whether the embedder read only the head of the query. */
  queryTruncated: boolean;
}

export interface Retrieved {
  /** What the search saw; ordinals refer to it. */
  mirror: Mirror;
  generation: number;
  /** Documents that pass the filter and are live. */
  documents: Bitset;
  found: Found[];
}

/** What a search had bound was replaced or removed meanwhile: catch up and search again. */
export class StaleSnapshot extends Error {}

/**
 * Finds the best documents for each query among those that pass the filter: by exact search over every vector, by
 * BM25, or both fused by reciprocal ranks. All queries see the same snapshot, bound once their vectors are there.
 */
export async function retrieve(
  store: Store,
  collection: Collection,
  encoderOf: (model: StoreModel) => Encoder,
  queries: string[],
  options: RetrieveOptions,
): Promise<Retrieved> {
  const { mode, limit, filter, signal } = options;
  const { mirror } = collection;
  const wantsDense = mode !== 'bm25' && queries.length > 0 && mirror.model !== undefined;
  const encoded = wantsDense
    ? await encoderOf(mirror.model!).encode(queries, { kind: 'query', signal })
    : undefined;
  if (mirror !== collection.mirror) throw new StaleSnapshot();

  // From here to the next await lies the snapshot: documents, filter and the device's rows are bound in one turn.
  const { generation, count, live } = mirror;
  const documents = filter === undefined ? live : passing(filter, mirror, count, live);
  const dense =
    encoded && denseSearch(mirror, documents, encoded.vectors, filter !== undefined, limit, signal);
  const mask = mode === 'dense' ? undefined : mirror.keyMask(documents);
  const bm25 = mask && bm25Search(store, mirror, queries, mask, limit, signal);
  const [denseLists, bm25Lists] = await Promise.all([dense, bm25]);

  const found = queries.map((_, i) => {
    const byVector = denseLists?.[i];
    const byWords = bm25Lists?.[i];
    const rankings = [byVector?.ranking, byWords].filter((ranking) => ranking !== undefined);
    return {
      ranking: mode === 'fused' ? fuse(rankings) : (rankings[0] ?? fuse([])),
      dense: byVector?.best ?? new Map(),
      bm25: new Map(Array.from(byWords?.docs ?? [], (doc, j) => [doc, byWords!.scores[j]!])),
      queryTruncated: encoded?.truncatedTexts.includes(i) ?? false,
    };
  });
  return { mirror, generation, documents, found };
}

function passing(filter: FilterExpression, mirror: Mirror, count: number, live: Bitset): Bitset {
  const set = evaluateFilter(filter, mirror.columns, count);
  const both = zeros(count);
  for (let word = 0; word < both.length; word++) both[word] = set[word]! & live[word]!;
  return both;
}

interface DenseList {
  ranking: Ranking;
  best: Map<number, { score: number; row: number }>;
}

/** The best `limit` documents by their best passage: asks for more rows until there are as many documents. */
async function denseSearch(
  mirror: Mirror,
  documents: Bitset,
  vectors: Float32Array,
  filtered: boolean,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<DenseList[]> {
  const { rows } = mirror;
  if (rows === undefined) return [];
  const wanted = Math.min(limit, countBits(documents));
  const queries = vectors.length / rows.dim;
  if (wanted === 0) return Array.from({ length: queries }, () => documentsOf(mirror, [], [], 0));
  const filter = filtered ? { mask: mirror.rowMask(documents) } : undefined;
  let generation: number | undefined;
  for (let k = wanted; ; k *= 2) {
    const top = await rows.search(vectors, { k, filter, signal });
    generation ??= top.generation;
    if (top.generation !== generation) throw new StaleSnapshot(); // a later round must see the rows of the first
    const lists = listsOf(mirror, top, wanted);
    if (!lists.some((list, i) => list.ranking.docs.length < wanted && top.counts[i] === k)) return lists;
  }
}

function listsOf(
  mirror: Mirror,
  top: { ids: Uint32Array; scores: Float32Array; counts: Uint32Array; k: number },
  limit: number,
): DenseList[] {
  return Array.from(top.counts, (count, i) => {
    const at = i * top.k;
    return documentsOf(mirror, top.ids.subarray(at, at + count), top.scores.subarray(at, at + count), limit);
  });
}

/** Rows, best first, to documents by their best row. */
function documentsOf(
  mirror: Mirror,
  ids: ArrayLike<number>,
  scores: ArrayLike<number>,
  limit: number,
): DenseList {
  const best = new Map<number, { score: number; row: number }>();
  for (let i = 0; i < ids.length && best.size < limit; i++) {
    const doc = mirror.rowDocument(ids[i]!);
    if (!best.has(doc)) best.set(doc, { score: scores[i]!, row: ids[i]! });
  }
  const entries = [...best];
  const ranking = {
    docs: Uint32Array.from(entries, ([doc]) => doc),
    scores: Float64Array.from(entries, ([, { score }]) => score),
  };
  return { ranking, best };
}

/** One query after another: the store's one thread would not be quicker with all of them at once. */
async function bm25Search(
  store: Store,
  mirror: Mirror,
  queries: string[],
  mask: Bitset,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Ranking[]> {
  const { generation } = mirror;
  const rankings: Ranking[] = [];
  for (const query of queries) {
    const { docs, scores, lastRemoval } = await store.bm25(query, { limit, mask, signal });
    if (lastRemoval > generation) throw new StaleSnapshot(); // words of documents that `mask` passes are gone
    rankings.push({ docs: docs.map((key) => mirror.ordinal(key)), scores });
  }
  return rankings;
}
