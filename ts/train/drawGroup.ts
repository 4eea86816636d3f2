import type { Random } from '../core/random.ts';
import type { TrainingGroup } from './trainingGroup.ts';

/** At most `size` documents of a group, drawn: one of the highest grade first, if any is relevant, then any others. */
export function drawGroup(group: TrainingGroup, size: number, random: Random): TrainingGroup {
  const order = random.shuffle([...group.documents.keys()]);
  const highest = Math.max(0, ...group.grades.filter((grade) => grade > 0));
  const first = highest > 0 ? order.findIndex((i) => group.grades[i] === highest) : 0;
  if (first > 0) order.unshift(...order.splice(first, 1));
  const drawn = order.slice(0, size);
  const pick = <T>(values: readonly T[]): T[] => drawn.map((i) => values[i]!);
  const { objectives, features } = group;
  const pickAll = (all: Readonly<Record<string, readonly number[]>>) =>
    Object.fromEntries(Object.entries(all).map(([name, values]) => [name, pick(values)]));
  return {
    query: group.query,
    documents: pick(group.documents),
    grades: pick(group.grades),
    labels: pick(group.labels),
    scores: pick(group.scores),
    ...(objectives && { objectives: pickAll(objectives) }),
    ...(features && { features: pickAll(features) }),
  };
}
