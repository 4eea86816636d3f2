import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import { batchPlan } from '../../ts/train/batchPlan.ts';
import { drawGroup } from '../../ts/train/drawGroup.ts';
import { judge, relevantDocuments } from '../../ts/train/judge.ts';
import type { TrainingGroup } from '../../ts/train/trainingGroup.ts';

const lengths = fc.array(fc.nat(500), { minLength: 1, maxLength: 400 });
const group = (query: string, documents: string[], grades: number[]): TrainingGroup => ({
  query,
  documents,
  grades,
  labels: grades,
  scores: grades,
});

describe('the plan of batches', () => {
  test('takes each item once an epoch at most, in whole batches, and is a function of the batch alone', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 9 }), fc.nat(), (given, size, seed) => {
        fc.pre(given.length >= size);
        const plan = batchPlan(given, size, seed);
        expect(plan.batchesPerEpoch).toBe(Math.floor(given.length / size));
        const all = Array.from({ length: 2 * plan.batchesPerEpoch }, (_, i) => plan.batch(i));
        for (const epoch of [0, 1]) {
          const items = all.slice(epoch * plan.batchesPerEpoch, (epoch + 1) * plan.batchesPerEpoch).flat();
          expect(new Set(items).size).toBe(plan.batchesPerEpoch * size);
        }
        const later = batchPlan(given, size, seed);
        for (const i of [all.length - 1, 0]) expect(later.batch(i)).toEqual(all[i]);
      }),
    );
  });

  test('puts items of about equal lengths together, another way in each epoch', () => {
    const generator = random(1);
    const given = Array.from({ length: 800 }, () => generator.below(1000));
    const plan = batchPlan(given, 16, 1);
    const spread = (batch: readonly number[]) =>
      Math.max(...batch.map((i) => given[i]!)) - Math.min(...batch.map((i) => given[i]!));
    for (let i = 0; i < plan.batchesPerEpoch; i++) expect(spread(plan.batch(i))).toBeLessThan(100);
    expect(plan.batch(plan.batchesPerEpoch)).not.toEqual(plan.batch(0));
  });
});

test('of a group, one of the highest grade comes first, and no document twice', () => {
  const values = [0, 2, Number.NaN, 1, 2];
  const given = {
    ...group('q', ['a', 'b', 'c', 'd', 'e'], values),
    objectives: { click: values },
    features: { age: values },
  };
  const firsts = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const { documents, grades, labels, scores, objectives, features } = drawGroup(given, 3, random(seed));
    firsts.add(documents[0]!);
    expect(new Set(documents).size).toBe(3);
    const wanted = documents.map((document) => given.grades[given.documents.indexOf(document)]);
    for (const values of [grades, labels, scores, objectives!.click, features!.age])
      expect(values).toEqual(wanted);
  }
  expect([...firsts].sort()).toEqual(['b', 'e']);
  expect(drawGroup(given, 9, random(1)).documents.length).toBe(5);
});

test('documents of other queries are negatives unless they are known to be relevant; what nobody judged is none', () => {
  const groups = [group('q', ['a', 'b', 'c'], [1, 0, Number.NaN]), group('r', ['b', 'd'], [1, 0])];
  const relevant = relevantDocuments([...groups, group('q', ['d'], [2])]);
  const { negative, grades, columns, objectives } = judge(
    groups.map((one, i) => (i === 0 ? { ...one, objectives: { click: [1, 0.5, Number.NaN] } } : one)),
    3,
    relevant,
  );
  const none = Number.NaN;
  expect([...objectives!.click!]).toEqual([1, 0.5, none, none, none, none]);
  expect(columns).toBe(6);
  expect([...negative]).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0]);
  expect([...grades]).toEqual([1, 0, Number.NaN, 1, 0, Number.NaN]);
  expect([...judge(groups, 3, undefined).negative]).toEqual([0, 1, 0, 0, 1, 0]);
});
