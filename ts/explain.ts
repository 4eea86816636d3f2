import { hasBit } from './core/bitset.ts';
import type {
  DenseExplanation,
  Explanation,
  RankingExplanation,
  RetrievalExplanation,
} from './core/explanation.ts';
import { compileFilter } from './device/reference/filter.ts';
import { documentReading, queryReading } from './online/explain/readings.ts';
import { reason } from './online/explain/reason.ts';
import { promptOf } from './online/rank/prompt.ts';
import type { Ranked } from './online/rank/rank.ts';
import { respond, shownOrder } from './online/respond/respond.ts';
import { modelText } from './online/retrieve/embed.ts';
import { explainFilter } from './online/retrieve/explainFilter.ts';
import { explainRetrieval, type RetrievalPlaces } from './online/retrieve/explainRetrieval.ts';
import { type FetchedDocument, scoresOf } from './online/retrieve/fetchDocuments.ts';
import { type Retrieved, retrieve, StaleSnapshot } from './online/retrieve/retrieve.ts';
import { sharedWords } from './online/retrieve/sharedWords.ts';
import { understand } from './online/understand/understand.ts';
import { type Engine, fetchFound, listLength, type Plan, rankerText, rankFetched } from './search.ts';
import type { StoredDocument } from './store/types.ts';

/**
 * Why the document with this id stands where it does for a query: the search itself, with the same stages, and what
 * they saw of this one document. Every document that passes the filter is put in order for it, so that a rank beyond
 * the end of a list is exact too.
 */
export async function explain(engine: Engine, query: string, id: string, plan: Plan): Promise<Explanation> {
  const { store, collection, encoderOf } = engine;
  const { text } = understand(query);
  const document = await store.get(id);
  const { mirror } = collection;
  const compiled = plan.filter && compileFilter(plan.filter, mirror.columns);
  const told = (what: Told, generation = mirror.generation): Explanation => {
    const explanation = {
      query: text,
      id,
      ...(document !== undefined && document.title !== '' && { title: document.title }),
      found: what.outcome === 'ranked' || what.outcome === 'retrieved',
      ...what,
      generation,
      device: collection.device.name,
    };
    return { ...explanation, reason: reason(explanation, plan) };
  };
  if (document === undefined) return told({ outcome: 'noDocument' });
  const ordinal = mirror.ordinal(document.doc);
  if (ordinal < 0 || !hasBit(mirror.live, ordinal)) throw new StaleSnapshot(); // written since, or purged
  const filter = compiled && explainFilter(compiled, ordinal, document.attributes);
  const filtered = filter && { filter };
  if (text === '') return told({ outcome: 'noQuery', ...filtered });
  if (filter?.passes === false) return told({ outcome: 'filteredOut', filter });

  const limit = listLength(plan);
  const options = { mode: plan.retrieve, limit, whole: true, filter: plan.filter, signal: plan.signal };
  const retrieved = await retrieve(store, collection, encoderOf, [text], options);
  if (retrieved.mirror !== mirror || !hasBit(retrieved.documents, ordinal)) throw new StaleSnapshot();
  const found = retrieved.found[0]!;
  const places = explainRetrieval(retrieved, found, ordinal, options);
  const { generation } = retrieved;
  const at = found.ranking.docs.indexOf(ordinal);

  const isRanked = at >= 0 && at < plan.depth && engine.ranker !== undefined;
  const fetched = isRanked ? await fetchFound(engine, retrieved, found, plan) : [];
  const ranking = await rankFetched(engine, text, fetched, plan);
  plan.signal?.throwIfAborted();
  const retrieval = await retrievalOf(engine, text, document, retrieved, places);
  if (at < 0) return told({ outcome: 'notRetrieved', ...filtered, retrieval }, generation);
  if (ranking === undefined) {
    const scores = scoresOf(found, at, plan.retrieve === 'fused');
    const place = { rank: at + 1, score: found.ranking.scores[at]!, scores, decidedBy: plan.retrieve };
    return told({ outcome: 'retrieved', ...place, ...filtered, retrieval }, generation);
  }
  const after = shownOrder(fetched.length, ranking).indexOf(at);
  const [hit] = respond(fetched, ranking, text, { offset: after, k: 1 });
  const { rank, score, scores } = hit!;
  const ranked = await rankingOf(engine, text, fetched[at]!, { ranking, at, after }, plan);
  const place = { rank, score, scores, decidedBy: 'ranker' as const };
  return told({ outcome: 'ranked', ...place, ...filtered, retrieval, ranking: ranked }, generation);
}

type Told = Omit<Explanation, 'query' | 'id' | 'title' | 'found' | 'reason' | 'generation' | 'device'>;

async function retrievalOf(
  engine: Engine,
  query: string,
  document: StoredDocument,
  { mirror }: Retrieved,
  { dense: best, bm25, ...places }: RetrievalPlaces,
): Promise<RetrievalExplanation> {
  const dense = best && (await denseOf(engine, query, document, mirror, best));
  return {
    ...places,
    ...(dense && { dense }),
    ...(bm25 && { bm25: { ...bm25, words: await sharedWords(query, document) } }),
  };
}

async function denseOf(
  { collection, encoderOf }: Engine,
  query: string,
  { title, text }: StoredDocument,
  mirror: Retrieved['mirror'],
  { row, ...place }: NonNullable<RetrievalPlaces['dense']>,
): Promise<DenseExplanation> {
  const passage = mirror.passage(row);
  const attributes = mirror.attributesOf(row);
  const similarity = attributes.reduce((rest, { addend }) => rest - addend, place.score);
  try {
    const encoder = encoderOf(mirror.model!);
    const [ofQuery, ofDocument] = await Promise.all([
      encoder.read([query], 'query'),
      encoder.read([modelText(title, text.slice(passage.start, passage.end))], 'document'),
    ]);
    return {
      model: encoder.name,
      ...place,
      ...(attributes.length > 0 && { features: { similarity, attributes } }),
      query: queryReading(ofQuery[0]!, query, ''),
      document: documentReading(ofDocument[0]!, title, passage),
    };
  } catch (error) {
    if (mirror !== collection.mirror) throw new StaleSnapshot(); // another embedder has taken this one's place
    throw error;
  }
}

async function rankingOf(
  engine: Engine,
  query: string,
  fetched: FetchedDocument,
  { ranking, at, after }: { ranking: Ranked; at: number; after: number },
  { searcher }: Plan,
): Promise<RankingExplanation> {
  const ranker = engine.ranker!;
  const reading = await ranker.read(promptOf({ query, searcher }), rankerText(fetched));
  return {
    model: ranker.name,
    read: ranking.ranked,
    logit: ranking.logits[at]!,
    rankerZ: ranking.parts.ranker[at]!,
    retrievalZ: ranking.parts.retrieval[at]!,
    blend: ranking.parts.blend,
    score: ranking.blended[at]!,
    before: at + 1,
    after: after + 1,
    query: queryReading(reading.query, query, searcher?.profile ?? ''),
    document: documentReading(reading.document, fetched.document.title, fetched.passage),
  };
}
