import { actionLabels } from './actionLabels.ts';
import { readImpressions } from './actionStage.ts';
import { readItems, type TextItem } from './collection.ts';
import { readLists } from './listStage.ts';
import { numberOf } from './numberOf.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import { readTexts } from './texts.ts';
import type { TrainingLine } from './trainStage.ts';

/** The drawn lists of a collection with labels from their grades: a grade's share of the highest one, or relevant or not. */
export async function relevanceLines(
  collection: Collection,
  lists: string,
  labels: DistillRecipe['labels'],
): Promise<TrainingLine[]> {
  const texts = await readTexts(collection);
  const drawn = await readLists(lists);
  const highest = drawn.reduce((most, { grades }) => Math.max(most, ...grades), 1);
  return drawn.map(({ query, documents, grades }) => ({
    query: texts.queries.get(query)!,
    documents: documents.map((id) => texts.documents.get(id)!),
    grades,
    labels: grades.map((grade) => (labels === 'soft' ? grade / highest : Number(grade > 0))),
  }));
}

/** What was done with the documents of a collection's training pages: the first action as labels, the others by name. */
export async function engagementLines(
  collection: Collection,
  sources: ActionSources,
  actions: readonly string[],
  masking: boolean,
): Promise<TrainingLine[]> {
  const [first, ...others] = actions;
  return (await actedPages(collection, sources, actions, masking)).map(({ query, documents, labelsOf }) => ({
    query: query.text,
    documents: documents.map(({ text }) => text),
    labels: labelsOf(first!),
    objectives: Object.fromEntries(others.map((action) => [action, labelsOf(action)])),
  }));
}

/** The same with all actions by name, and numbers of the documents' metadata as features. */
export async function featureLines(
  collection: Collection,
  sources: ActionSources,
  {
    actions,
    masking,
    features,
  }: { actions: readonly string[]; masking: boolean; features: readonly string[] },
): Promise<TrainingLine[]> {
  return (await actedPages(collection, sources, actions, masking)).map(({ query, documents, labelsOf }) => ({
    query: query.text,
    documents: documents.map(({ text }) => text),
    objectives: Object.fromEntries(actions.map((action) => [action, labelsOf(action)])),
    ...(features.length > 0 && {
      features: Object.fromEntries(features.map((field) => [field, documents.map(knownOf(field))])),
    }),
  }));
}

/** A field of an item's metadata as a number; null if it is none. */
const knownOf =
  (field: string) =>
  ({ metadata }: TextItem): number | null => {
    const value = numberOf(metadata[field]);
    return Number.isNaN(value) ? null : value;
  };

/** Directories of a collection's lists, whose queries are learnt from, and actions. */
export interface ActionSources {
  lists: string;
  actions: string;
}

interface ActedPage {
  query: TextItem;
  documents: TextItem[];
  /** Labels of an action by document; null where it must not count. */
  labelsOf: (action: string) => (number | null)[];
}

/** The pages of training queries on which something is known of an action. */
async function actedPages(
  { corpus, train }: Collection,
  sources: ActionSources,
  actions: readonly string[],
  masking: boolean,
): Promise<ActedPage[]> {
  const byId = async (path: string) => new Map((await readItems(path)).map((item) => [item.id, item]));
  const [documents, queries] = [await byId(corpus), await byId(train!.queries)];
  const learnt = new Set((await readLists(sources.lists)).map(({ query }) => query));
  const labels = actionLabels(await readImpressions(sources.actions), actions, { masking });
  const pages: ActedPage[] = [];
  for (const [query, entries] of labels) {
    if (!learnt.has(query)) continue;
    const labelsOf = (action: string) => Array.from(entries.values(), (entry) => entry[action]!);
    if (actions.every((action) => labelsOf(action).every((label) => label === null))) continue;
    const shown = Array.from(entries.keys(), (id) => documents.get(id)!);
    pages.push({ query: queries.get(query)!, documents: shown, labelsOf });
  }
  return pages;
}
