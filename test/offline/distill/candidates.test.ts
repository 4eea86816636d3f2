import { describe, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { blended, chooseBlend, type Finalists } from '../../../ts/offline/distill/blend.ts';
import { drawList, type Policy } from '../../../ts/offline/distill/drawList.ts';
import { LexicalIndex, topScores } from '../../../ts/offline/distill/lexicalIndex.ts';
import type { Measure } from '../../../ts/offline/distill/measure.ts';
import { nearDuplicates } from '../../../ts/offline/distill/nearDuplicates.ts';
import { fuse } from '../../../ts/offline/distill/retrieve.ts';
import { bootstrap } from '../../../ts/offline/evaluate/bootstrap.ts';
import { evaluate } from '../../../ts/offline/evaluate/evaluate.ts';

test('BM25 gives the textbook value and only documents that share a word', () => {
  const found = new LexicalIndex(['red apple', 'green apple apple', 'blue sky']).search('Apple!', 5);
  expect(found.map(({ document }) => document)).toEqual([1, 0]);
  const idf = Math.log(1 + 1.5 / 2.5);
  const length = 0.25 + (0.75 * 3) / (7 / 3);
  expect(found[0]!.score).toBeCloseTo((idf * 2 * 2.2) / (2 + 1.2 * length), 12);
});

test('the best k come best first, equal scores by rising index', () => {
  expect(topScores([1, 3, 2, 3, 0], 3).map(({ document }) => document)).toEqual([1, 3, 2]);
});

test('lists are fused by reciprocal ranks', () => {
  const list = (...documents: number[]) => documents.map((document) => ({ document, score: 1 }));
  const fused = fuse([list(0, 1), list(2, 1)]);
  expect(fused.map(({ document }) => document)).toEqual([1, 0, 2]);
  expect(fused[0]!.score).toBeCloseTo(2 / 62, 12);
});

describe('near-duplicates', () => {
  const jaccard = (a: string, b: string, size: number): number => {
    const parts = (text: string): Set<string> => {
      const plain = (text.toLowerCase().match(/[a-z]+/g) ?? []).join(' ');
      const all = new Set(
        Array.from({ length: plain.length - size + 1 }, (_, i) => plain.slice(i, i + size)),
      );
      return all.size === 0 && plain !== '' ? new Set([plain]) : all;
    };
    const [first, second] = [parts(a), parts(b)];
    const both = [...first].filter((part) => second.has(part)).length;
    return both / (first.size + second.size - both);
  };

  test('are those of a plain double loop, each with its most similar one', () => {
    const generator = random(3);
    const draw = (): string =>
      Array.from({ length: 6 }, () => ['night', 'nurse', 'day', 'ward', 'lead'][generator.below(5)]).join(
        ' ',
      );
    const texts = Array.from({ length: 60 }, draw);
    const others = Array.from({ length: 50 }, draw);
    for (const similarity of [0.5, 0.8, 1]) {
      const twins = nearDuplicates(texts, others, { shingle: 4, similarity });
      const found = new Map(twins.map((twin) => [twin.text, twin]));
      for (const [i, text] of texts.entries()) {
        const best = Math.max(...others.map((other) => jaccard(text, other, 4)));
        expect(found.has(i)).toBe(best >= similarity);
        if (found.has(i)) expect(found.get(i)!.similarity).toBeCloseTo(best, 12);
      }
    }
  });

  test('case, marks and one letter do not hide a twin; other words do', () => {
    const options = { shingle: 5, similarity: 0.8 };
    const others = ['Registered nurse for the night shift in Bern', 'x'];
    expect(nearDuplicates(['registered NURSE, for the night-shift in Berne!'], others, options)).toHaveLength(
      1,
    );
    expect(nearDuplicates(['Registered nurse for the day shift in Geneva'], others, options)).toEqual([]);
    expect(nearDuplicates(['X', ''], others, options)).toEqual([{ text: 0, other: 1, similarity: 1 }]);
  });
});

describe('a drawn list', () => {
  const documents = Array.from({ length: 60 }, (_, i) => ({
    id: `d${i}`,
    text: `text ${i}`,
    metadata: { kind: i < 10 || i === 50 ? 'same' : i < 15 ? 'held' : 'other' },
  }));
  const pool = {
    documents,
    byId: new Map(documents.map(({ id }, i) => [id, i])),
    subject: 'kind',
    heldOut: new Set(['held']),
    dropped: new Set(['d20']),
  };
  const grades = new Map([
    ['d0', 3],
    ['d1', 1],
    ['d2', 1],
    ['d50', 2],
    ['d12', 3],
  ]);
  // d0 is found first, d50 not at all: a hard positive.
  const found = documents.slice(0, 40).map((_, document) => ({ document, score: 1 }));
  const policy: Policy = {
    positives: 2,
    hardPositives: 1,
    hardNegatives: 4,
    randomNegatives: 1,
    skip: 0,
    depth: 40,
  };

  test('holds what the policy asks for, and nothing uncertain, held out or dropped', () => {
    const generator = random(8);
    for (let round = 0; round < 200; round++) {
      const list = drawList({ grades, found }, pool, policy, generator)!;
      const of = (bucket: string) => list.filter((one) => one.bucket === bucket).map(({ index }) => index);
      expect(of('positive')[0]).toBe(0);
      expect(of('positive')).toHaveLength(2);
      expect(of('hardPositive').concat(of('positive'))).toContain(50);
      expect(of('hardNegative')).toHaveLength(4);
      expect(new Set(list.map(({ index }) => index)).size).toBe(list.length);
      for (const { index, grade, bucket } of list) {
        expect(grade).toBe(grades.get(`d${index}`) ?? 0);
        expect(pool.dropped.has(`d${index}`) || (index >= 10 && index < 15)).toBe(false);
        if (/Negative/.test(bucket)) expect(index >= 15 && index !== 50).toBe(true);
        if (bucket === 'hardNegative') expect(index).toBeLessThan(40);
      }
    }
  });

  test('is none without a relevant document or a negative', () => {
    expect(drawList({ grades: new Map([['d12', 3]]), found }, pool, policy, random(1))).toBeUndefined();
    const alone = { ...policy, hardNegatives: 0, randomNegatives: 0 };
    expect(drawList({ grades, found }, pool, alone, random(1))).toBeUndefined();
  });
});

describe('blending', () => {
  const finalists: Finalists[] = [
    { query: 'p', collection: 'x', documents: ['a', 'b', 'c'], retrieval: [3, 2, 1], ranker: [0, 0, 9] },
    { query: 'q', collection: 'x', documents: ['a', 'b', 'c'], retrieval: [3, 2, 1], ranker: [5, 5, 5] },
  ];
  const qrels = new Map([
    ['p', new Map([['c', 3]])],
    ['q', new Map([['a', 3]])],
  ]);
  const measure: Measure = {
    ndcg: (run, judged) =>
      new Map(
        Array.from(evaluate(run, judged, 'ndcg_exp@10').queries, ([query, of]) => [
          query,
          of['ndcg_exp@10']!,
        ]),
      ),
    interval: (values) => bootstrap([Float64Array.from(values)])[0]!,
  };

  test('mixes z-scores; a ranker without an opinion changes nothing', () => {
    expect([...measure.ndcg(blended(finalists, 0), qrels).values()]).toEqual([0.5, 1]);
    expect([...measure.ndcg(blended(finalists, 1), qrels).values()]).toEqual([1, 1]);
    expect(chooseBlend(finalists, qrels, measure).blend).toBeGreaterThan(0);
  });

  test('takes the smallest weight that is as good as the best on all collections together, and harms none', () => {
    const names = Array.from({ length: 40 }, (_, i) => `q${i}`);
    const judged = new Map(names.map((query) => [query, new Map([['c', 3]])]));
    // The third document comes first from .55 on: 2.45 · weight > 2.45 · (1 − weight) in z-scores.
    const helped = (query: string) => ({
      query,
      collection: 'helped',
      documents: ['a', 'b', 'c'],
      retrieval: [3, 2, 1],
      ranker: [1, 2, 3],
    });
    const all = names.map(helped);
    const chosen = chooseBlend(all, judged, measure);
    expect(chosen).toEqual({ blend: 0.55, ndcg: { blended: 1, fused: 0.5 } });
    // Of another collection the same weights put the right document last, though it has fewer queries.
    const harmed = names.slice(0, 4).map((name) => ({
      ...helped(`h${name}`),
      collection: 'harmed',
      retrieval: [1, 2, 3],
      ranker: [3, 2, 1],
    }));
    for (const { query } of harmed) judged.set(query, new Map([['c', 3]]));
    const both = chooseBlend([...all, ...harmed], judged, measure);
    expect(both).toEqual({ blend: 0, ndcg: { blended: 0.75, fused: 0.75 } });
  });
});
