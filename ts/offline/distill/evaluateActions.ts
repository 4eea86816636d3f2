import { random } from '../../core/random.ts';
import { openEncoder } from '../../models/encoder.ts';
import { type FeatureWeights, scaled } from '../../models/featureWeights.ts';
import { pagesOf } from './actionStage.ts';
import { auc } from './auc.ts';
import { drawImpressions, type Impressions } from './clickModel.ts';
import type { RankingInput } from './evaluateRanking.ts';
import { differenceOf, type Figure, figure, type Measure } from './measure.ts';
import { numberOf } from './numberOf.ts';
import type { DistillRecipe } from './recipe.ts';

/**
 * Area under the ROC curve of an action on the test pages, by action: of each page by itself, mean over those with some
 * views that led to it and some that did not.
 */
export type ActionFigures = Record<
  string,
  {
    /** By the similarity alone. */
    similarity: Figure;
    /** By what a search sorts by: with the features that the embedder weighs, if it does. */
    score: Figure;
    /** That less the similarity alone. */
    gain: Figure;
  }
>;

export interface ActionOptions {
  /** The embedder. */
  model: string;
  maxTokens: number | undefined;
  /** Of the documents, `[documents, dim]`, of unit length. */
  vectors: Float32Array;
  measure: Measure;
  signal: AbortSignal | undefined;
}

/**
 * Measures an embedder by what the click model does on the first pages of `found`, filled up with graded documents, shown
 * in any order. Pages should not depend on the embedder: those that it had put together would differ least in what it knows.
 */
export async function evaluateActions(
  recipe: DistillRecipe,
  { collection, documents, queries, judged, found }: RankingInput,
  { model, maxTokens, vectors, measure, signal }: ActionOptions,
): Promise<ActionFigures> {
  const clicks = { ...collection.clicks!, shuffled: 1 };
  const index = new Map(documents.map(({ id }, i) => [id, i]));
  const candidates = queries.map(({ id }, i) => {
    const listed = found[i]!.map(({ document }) => document);
    const graded = [...judged.get(id)!.keys()].flatMap((document) => index.get(document) ?? []);
    return {
      query: id,
      found: Array.from(new Set([...listed, ...graded]), (document) => ({ document, score: 0 })),
    };
  });
  const pages = pagesOf(candidates, documents, judged, clicks);
  const done = drawImpressions(pages, clicks, random(recipe.seed + 2));
  const place = new Map(queries.map(({ id }, i) => [id, i]));
  const encoder = await openEncoder(model, { maxTokens });
  try {
    const texts = queries.map(({ text }) => text);
    const { vectors: asked } = await encoder.encode(texts, { kind: 'query', signal });
    const { dim } = encoder;
    const similarity = ({ query, document }: Impressions): number => {
      const [q, d] = [place.get(query)! * dim, index.get(document)! * dim];
      let sum = 0;
      for (let i = 0; i < dim; i++) sum += asked[q + i]! * vectors[d + i]!;
      return sum;
    };
    const weighted =
      ({ similarity: weight, features }: FeatureWeights) =>
      (entry: Impressions): number => {
        const { metadata } = documents[index.get(entry.document)!]!;
        return features.reduce(
          (sum, feature) => sum + feature.weight * scaled(numberOf(metadata[feature.attribute]), feature),
          weight * similarity(entry),
        );
      };
    const figures: ActionFigures = {};
    for (const action of recipe.actions) {
      const plain = areas(done, action, similarity);
      if (plain.size === 0) continue;
      const full = encoder.features ? areas(done, action, weighted(encoder.features)) : plain;
      figures[action] = {
        similarity: figure([...plain.values()], measure),
        score: figure([...full.values()], measure),
        gain: differenceOf(full, plain, measure),
      };
    }
    return figures;
  } finally {
    await encoder.close();
  }
}

/** Area under the ROC curve by query, of those where it is defined. */
function areas(
  impressions: readonly Impressions[],
  action: string,
  score: (entry: Impressions) => number,
): Map<string, number> {
  const byQuery = new Map<string, Impressions[]>();
  for (const entry of impressions) {
    const entries = byQuery.get(entry.query);
    if (entries) entries.push(entry);
    else byQuery.set(entry.query, [entry]);
  }
  const found = new Map<string, number>();
  for (const [query, entries] of byQuery) {
    const happened = entries.map(({ actions }) => actions[action] ?? 0);
    const views = entries.map(({ shown }) => shown);
    const area = auc(entries.map(score), happened, views);
    if (!Number.isNaN(area)) found.set(query, area);
  }
  return found;
}
