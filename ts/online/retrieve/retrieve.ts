import { type Bitset, countBits, zeros } from '../../core/bitset.ts';
import type { FilterExpression, RetrieveMode } from '../../core/types.ts';
import { evaluateFilter } from '../../device/reference/filter.ts';
import type { Encoder } from '../../models/encoder.ts';
import { queryWeights } from '../../models/featureWeights.ts';
import type { Store } from '../../store/store.ts';
import type { StoreModel } from '../../store/types.ts';
import type { Collection } from './collection.ts';
import { fuse, type Ranking } from './fuse.ts';
import type { Mirror } from './mirror.ts';

export interface RetrieveOptions {
  mode: RetrieveMode;
  /** Documents wanted from each list. */
  limit: number;
  /** Also ranks every document that passes the filter, for explanations: see `Found.whole`. */
  whole?: boolean | undefined;
  filter?: FilterExpression | undefined;
  signal?: AbortSignal | undefined;
}

/** Documents found for one query, best first, with the scores of each way that found them. */
export interface Found {
  ranking: Ranking;
  /** By ordinal, for documents of the list: score of the best passage, and its row. */
  dense: Map<number, BestRow>;
  /** By ordinal, for documents of the list. */
  bm25: Map<number, number>;
  /** The lists before they were cut to `limit`, by ordinal and best first, if `whole` was asked for. */
  whole?: { dense: Map<number, BestRow> | undefined; bm25: Map<number, number> | undefined };
  /** Whether the embedder read only the head of the query. */
  queryTruncated: boolean;
}

/** A document's best passage. */
export interface BestRow {
  score: number;
  row: number;
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
  const { mode, limit, whole = false, filter, signal } = options;
  const { mirror } = collection;
  const wantsDense = mode !== 'bm25' && queries.length > 0 && mirror.model !== undefined;
  const encoded = wantsDense
    ? await encoderOf(mirror.model!).encode(queries, { kind: 'query', signal })
    : undefined;
  if (mirror !== collection.mirror) throw new StaleSnapshot();

  // From here to the next await lies the snapshot: documents, filter and the device's rows are bound in one turn.
  const { generation, count, live } = mirror;
  const documents = filter === undefined ? live : passing(filter, mirror, count, live);
  const length = whole ? Math.max(limit, count) : limit;
  const filtered = filter !== undefined;
  const dense =
    encoded && denseSearch(mirror, documents, encoded.vectors, { filtered, length, whole, signal });
  const mask = mode === 'dense' ? undefined : mirror.keyMask(documents);
  const bm25 = mask && bm25Search(store, mirror, queries, mask, length, signal);
  const [denseLists, bm25Lists] = await Promise.all([dense, bm25]);

  const found = queries.map((_, i): Found => {
    const byVector = denseLists?.[i];
    const byWords = bm25Lists?.[i];
    const lists = { dense: byVector && head(byVector, limit), bm25: byWords && head(byWords, limit) };
    const rankings = [
      lists.dense && rankingOf(lists.dense, ({ score }) => score),
      lists.bm25 && rankingOf(lists.bm25, (score) => score),
    ].filter((ranking) => ranking !== undefined);
    return {
      ranking: mode === 'fused' ? fuse(rankings) : (rankings[0] ?? fuse([])),
      dense: lists.dense ?? new Map(),
      bm25: lists.bm25 ?? new Map(),
      ...(whole && { whole: { dense: byVector, bm25: byWords } }),
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

/** The first `length` entries. */
function head<T>(list: Map<number, T>, length: number): Map<number, T> {
  return list.size <= length ? list : new Map([...list].slice(0, length));
}

function rankingOf<T>(list: Map<number, T>, score: (entry: T) => number): Ranking {
  return { docs: Uint32Array.from(list.keys()), scores: Float64Array.from(list.values(), score) };
}

interface DenseOptions {
  filtered: boolean;
  /** Documents wanted. */
  length: number;
  /** Asks for all rows at once, because all documents are wanted. */
  whole: boolean;
  signal: AbortSignal | undefined;
}

/** The best documents by their best passage, best first: asks for more rows until there are as many documents. */
async function denseSearch(
  mirror: Mirror,
  documents: Bitset,
  vectors: Float32Array,
  { filtered, length, whole, signal }: DenseOptions,
): Promise<Map<number, BestRow>[]> {
  const { rows } = mirror;
  if (rows === undefined) return [];
  const wanted = Math.min(length, countBits(documents));
  const queries = vectors.length / rows.dim;
  if (wanted === 0) return Array.from({ length: queries }, () => new Map());
  const filter = filtered ? { mask: mirror.rowMask(documents) } : undefined;
  const weights = mirror.features && queryWeights(mirror.features, queries);
  let generation: number | undefined;
  for (let k = whole ? Math.max(rows.count, wanted) : wanted; ; k *= 2) {
    const top = await rows.search(vectors, { k, filter, weights, signal });
    generation ??= top.generation;
    if (top.generation !== generation) throw new StaleSnapshot(); // a later round must see the rows of the first
    const lists = listsOf(mirror, top, wanted);
    if (!lists.some((list, i) => list.size < wanted && top.counts[i] === k)) return lists;
  }
}

function listsOf(
  mirror: Mirror,
  top: { ids: Uint32Array; scores: Float32Array; counts: Uint32Array; k: number },
  length: number,
): Map<number, BestRow>[] {
  return Array.from(top.counts, (count, i) => {
    const at = i * top.k;
    return documentsOf(mirror, top.ids.subarray(at, at + count), top.scores.subarray(at, at + count), length);
  });
}

/** Rows, best first, to documents by their best row. */
function documentsOf(
  mirror: Mirror,
  ids: Uint32Array,
  scores: Float32Array,
  length: number,
): Map<number, BestRow> {
  const best = new Map<number, BestRow>();
  for (let i = 0; i < ids.length && best.size < length; i++) {
    const doc = mirror.rowDocument(ids[i]!);
    if (!best.has(doc)) best.set(doc, { score: scores[i]!, row: ids[i]! });
  }
  return best;
}

/** One query after another: the store's one thread would not be quicker with all of them at once. */
async function bm25Search(
  store: Store,
  mirror: Mirror,
  queries: string[],
  mask: Bitset,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>[]> {
  const { generation } = mirror;
  const lists: Map<number, number>[] = [];
  for (const query of queries) {
    const { docs, scores, lastRemoval } = await store.bm25(query, { limit, mask, signal });
    if (lastRemoval > generation) throw new StaleSnapshot(); // words of documents that `mask` passes are gone
    lists.push(new Map(Array.from(docs, (key, i) => [mirror.ordinal(key), scores[i]!])));
  }
  return lists;
}
