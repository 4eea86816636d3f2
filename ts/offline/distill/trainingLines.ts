import { actionLabels } from './actionLabels.ts';
import { readImpressions } from './actionStage.ts';
import { readLists } from './listStage.ts';
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
  sources: { lists: string; actions: string },
  actions: readonly string[],
  masking: boolean,
): Promise<TrainingLine[]> {
  const texts = await readTexts(collection);
  const learnt = new Set((await readLists(sources.lists)).map(({ query }) => query));
  const lines: TrainingLine[] = [];
  for (const [query, documents] of actionLabels(await readImpressions(sources.actions), actions, {
    masking,
  })) {
    if (!learnt.has(query)) continue;
    const entries = [...documents.values()];
    const of = (action: string) => entries.map((entry) => entry[action]!);
    const [first, ...others] = actions;
    if (actions.every((action) => of(action).every((label) => label === null))) continue;
    lines.push({
      query: texts.queries.get(query)!,
      documents: [...documents.keys()].map((id) => texts.documents.get(id)!),
      labels: of(first!),
      objectives: Object.fromEntries(others.map((action) => [action, of(action)])),
    });
  }
  return lines;
}
