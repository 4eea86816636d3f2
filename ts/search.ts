import { stopwatch } from './core/stopwatch.ts';
import type { DeviceName, FilterExpression, Hit, RetrieveMode, Searcher, Timings } from './core/types.ts';
import type { CrossEncoder } from './models/crossEncoder.ts';
import type { Encoder } from './models/encoder.ts';
import { type Ranked, rank } from './online/rank/rank.ts';
import type { ScoreCache } from './online/rank/scoreCache.ts';
import { respond } from './online/respond/respond.ts';
import type { Collection } from './online/retrieve/collection.ts';
import { modelText } from './online/retrieve/embed.ts';
import { countFacet, type FacetCounts } from './online/retrieve/facets.ts';
import { type FetchedDocument, fetchDocuments } from './online/retrieve/fetchDocuments.ts';
import { type Found, type Retrieved, retrieve } from './online/retrieve/retrieve.ts';
import { understand } from './online/understand/understand.ts';
import type { Store } from './store/store.ts';
import type { StoreModel } from './store/types.ts';

/** What a search works with. */
export interface Engine {
  store: Store;
  collection: Collection;
  /** The encoder whose vectors an index of this model holds. */
  encoderOf: (model: StoreModel) => Encoder;
  /** Without one, documents stay in the order of retrieval. */
  ranker: CrossEncoder | undefined;
  /** Without one, every score is computed. */
  scoreCache: ScoreCache | undefined;
}

/** A query's options, every default filled in. */
export interface Plan {
  k: number;
  offset: number;
  /** How many of the best retrieved documents the ranker reads. */
  depth: number;
  retrieve: RetrieveMode;
  filter: FilterExpression | undefined;
  facets: string[];
  /** The profile's white space folded, its length bounded. */
  searcher: Searcher | undefined;
  /** On `performance.now()`'s clock: ranking stops then. */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
}

export interface Answer {
  hits: Hit[];
  timings: Timings;
  /** Generation of the index that the search saw. */
  generation: number;
  device: DeviceName;
  /** Documents that have a score of the ranker; fewer than the depth if the deadline came first. */
  ranked: number;
  /** Documents whose score came from the cache, or from equal work that was under way already. */
  cached: number;
  /** Documents of which the ranker read only the head. */
  truncated: number;
  /** Whether the embedder or the ranker read only the head of the query. */
  queryTruncated: boolean;
  /** By attribute: values of all documents that pass the filter. Present if facets were asked for. */
  facets?: Record<string, FacetCounts>;
}

/** Lists of this length are fused: with `offset + k` and `depth` within it, all pages of a query agree. */
const LIST_LENGTH = 100;

/** Documents that each list of retrieval holds at most. */
export const listLength = ({ depth, offset, k }: Plan): number => Math.max(LIST_LENGTH, depth, offset + k);

/** The online path: query → understand → retrieve → rank → respond. Queries without a word have no hits. */
export async function search(engine: Engine, queries: string[], plan: Plan): Promise<Answer[]> {
  const { store, collection, encoderOf } = engine;
  const { signal } = plan;
  const lap = stopwatch();

  const understood = queries.map(understand);
  const asked = understood.filter(({ text }) => text !== '').map(({ text }) => text);
  const understandMs = lap();

  const options = { mode: plan.retrieve, limit: listLength(plan), filter: plan.filter, signal };
  const retrieved = await retrieve(store, collection, encoderOf, asked, options);
  const facets = plan.facets.map((name) => [
    name,
    countFacet(name, retrieved.mirror.columns, retrieved.documents),
  ]);
  const retrieveMs = lap() / Math.max(1, asked.length);

  const answers: Answer[] = [];
  let next = 0;
  for (const { text } of understood) {
    signal?.throwIfAborted();
    lap();
    const found = text === '' ? undefined : retrieved.found[next++]!;
    const documents = found ? await fetchFound(engine, retrieved, found, plan) : [];
    const fetchMs = lap();
    const ranking = await rankFetched(engine, text, documents, plan);
    const rankMs = lap();
    const hits = respond(documents, ranking, text, plan);
    const respondMs = fetchMs + lap();
    answers.push({
      hits,
      timings: {
        understand: understandMs,
        retrieve: retrieveMs,
        rank: rankMs,
        respond: respondMs,
        total: understandMs + retrieveMs + rankMs + respondMs,
      },
      generation: retrieved.generation,
      device: collection.device.name,
      ranked: ranking?.ranked ?? 0,
      cached: ranking?.cached ?? 0,
      truncated: ranking?.truncated ?? 0,
      queryTruncated: (found?.queryTruncated ?? false) || (ranking?.queryTruncated ?? false),
      ...(plan.facets.length > 0 && { facets: Object.fromEntries(facets) }),
    });
  }
  return answers;
}

/** Reads the best documents that were found for a query: as many as are ranked or shown. */
export function fetchFound(
  { store }: Engine,
  retrieved: Retrieved,
  found: Found,
  { depth, offset, k, retrieve }: Plan,
): Promise<FetchedDocument[]> {
  return fetchDocuments(store, retrieved, found, Math.max(depth, offset + k), retrieve === 'fused');
}

/** What the ranker is given of a document. */
export function rankerText({ document, passage }: FetchedDocument): string {
  return modelText(document.title, document.text.slice(passage.start, passage.end));
}

/** Ranks the best `depth` documents, if there is a ranker and something to rank. */
export async function rankFetched(
  { ranker, scoreCache }: Engine,
  query: string,
  documents: FetchedDocument[],
  { depth, searcher, signal, deadline }: Plan,
): Promise<Ranked | undefined> {
  const candidates = documents
    .slice(0, depth)
    .map((document) => ({ text: rankerText(document), retrieval: document.retrieval }));
  if (ranker === undefined || candidates.length === 0) return undefined;
  return rank({ query, searcher }, candidates, ranker, { signal, deadline, cache: scoreCache });
}
