import type { Random } from '../../core/random.ts';
import type { RankingGroup } from '../../train/rankerTraining.ts';
import type { TextItem } from './collection.ts';
import type { Scored } from './lexicalIndex.ts';

export interface GradedQuery {
  query: TextItem;
  /** document id -> grade */
  grades: ReadonlyMap<string, number>;
  /** Indices of documents, best first. */
  candidates: readonly Scored[];
}

/**
 * Draws a list of `size` documents for a query from its candidates: one of the best grade, up to two others that
 * are relevant, one at random from the collection, hard negatives for the rest. A candidate without a grade whose
 * `kin` (such as its occupation) is that of a graded document is no certain negative and is passed over: constraints
 * that the text does not show made the difference. Nothing if there are too few certain documents.
 */
export function drawGroup(
  { query, grades, candidates }: GradedQuery,
  documents: readonly TextItem[],
  byId: ReadonlyMap<string, number>,
  kin: (document: TextItem) => unknown,
  size: number,
  random: Random,
): RankingGroup | undefined {
  const gradeOf = (index: number): number => grades.get(documents[index]!.id) ?? 0;
  const relevantKin = new Set<unknown>();
  for (const [id, grade] of grades) {
    const index = byId.get(id);
    if (grade > 0 && index !== undefined) relevantKin.add(kin(documents[index]!));
  }
  const certain = (index: number): boolean => !relevantKin.has(kin(documents[index]!));
  const found = candidates.map(({ document }) => document);
  let relevant = random.shuffle(found.filter((index) => gradeOf(index) > 0));
  if (relevant.length === 0) {
    const judged = [...grades.keys()]
      .flatMap((id) => byId.get(id) ?? [])
      .filter((index) => gradeOf(index) > 0);
    relevant = random.shuffle(judged);
  }
  if (relevant.length === 0) return undefined;
  const best = relevant.reduce((a, b) => (gradeOf(b) > gradeOf(a) ? b : a));
  const chosen = new Set([best, ...relevant.slice(0, random.below(3))]);
  const stray = random.below(documents.length);
  if (gradeOf(stray) === 0 && certain(stray)) chosen.add(stray);
  const hard = random.shuffle(found.filter((index) => gradeOf(index) === 0 && certain(index)).slice(0, 60));
  for (const index of [...hard, ...relevant]) {
    if (chosen.size >= size) break;
    chosen.add(index);
  }
  if (chosen.size < size) return undefined;
  const list = random.shuffle([...chosen].slice(0, size));
  return {
    query: query.text,
    documents: list.map((index) => documents[index]!.text),
    grades: list.map(gradeOf),
  };
}
