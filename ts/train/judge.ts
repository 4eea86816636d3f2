import type { Judged } from './losses/loss.ts';
import type { TrainingGroup } from './trainingGroup.ts';

/** The relevant documents of each query, over all groups: none of them is taken for another query's negative. */
export function relevantDocuments(groups: readonly TrainingGroup[]): Map<string, ReadonlySet<string>> {
  const relevant = new Map<string, Set<string>>();
  for (const { query, documents, grades } of groups) {
    const known = relevant.get(query) ?? new Set();
    relevant.set(query, known);
    for (const [i, document] of documents.entries()) if (grades[i]! > 0) known.add(document);
  }
  return relevant;
}

/**
 * What is known of a batch of groups with at most `size` documents each. With `relevant`, the documents of other
 * queries count as not relevant, unless they are known to be.
 */
export function judge(
  groups: readonly TrainingGroup[],
  size: number,
  relevant: ReadonlyMap<string, ReadonlySet<string>> | undefined,
): Omit<Judged, 'vectors'> {
  const lists = groups.length;
  const columns = relevant === undefined ? size : lists * size;
  const perDocument = (values: (group: TrainingGroup) => readonly number[]): Float32Array => {
    const all = new Float32Array(lists * size).fill(Number.NaN);
    for (const [list, group] of groups.entries()) all.set(values(group), list * size);
    return all;
  };
  const negative = new Uint8Array(lists * columns);
  for (const [list, { query, grades }] of groups.entries()) {
    const row = negative.subarray(list * columns, (list + 1) * columns);
    const own = relevant === undefined ? 0 : list * size;
    for (const [i, grade] of grades.entries()) if (grade === 0) row[own + i] = 1;
    const known = relevant?.get(query);
    for (const [other, { documents }] of relevant === undefined ? [] : groups.entries()) {
      if (other === list) continue;
      for (const [i, document] of documents.entries()) if (!known?.has(document)) row[other * size + i] = 1;
    }
  }
  const names = new Set(groups.flatMap(({ objectives = {} }) => Object.keys(objectives)));
  const labelsOf = (name: string) => perDocument(({ objectives }) => objectives?.[name] ?? []);
  return {
    lists,
    size,
    columns,
    objectives: Object.fromEntries(Array.from(names, (name) => [name, labelsOf(name)])),
    grades: perDocument(({ grades }) => grades),
    labels: perDocument(({ labels }) => labels),
    scores: perDocument(({ scores }) => scores),
    negative,
  };
}
