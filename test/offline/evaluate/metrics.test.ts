import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Qrels, Run } from '../../../ts/core/types.ts';
import { evaluate } from '../../../ts/offline/evaluate/evaluate.ts';
import { parseMetrics } from '../../../ts/offline/evaluate/metrics.ts';

const ALL =
  'ndcg,ndcg@3,ndcg_exp,ndcg_exp@3,map,map@3,mrr,mrr@1,p@3,recall@3,success@1,judged@3,judged@10,rprec,bpref';

function runOf(lists: Record<string, string[]>): Run {
  return new Map(
    Object.entries(lists).map(([query, ids]) => [query, ids.map((id, i) => ({ id, score: ids.length - i }))]),
  );
}

function qrelsOf(lists: Record<string, Record<string, number>>): Qrels {
  return new Map(Object.entries(lists).map(([query, grades]) => [query, new Map(Object.entries(grades))]));
}

describe('values worked out by hand', () => {
  // Grades by rank: 0, 3, not judged, 1; a document of grade 2 is not found; one is in the pool without a grade.
  const run = runOf({ q: ['a', 'b', 'x', 'c', 'n'] });
  const qrels = qrelsOf({ q: { a: 0, b: 3, c: 1, d: 2, e: 0, n: -1 } });
  const values = evaluate(run, qrels, `${ALL},num_ret,num_rel,num_rel_ret`).queries.get('q')!;
  const log = Math.log2;

  test.each([
    ['ndcg', (3 / log(3) + 1 / log(5)) / (3 + 2 / log(3) + 1 / 2)],
    ['ndcg@3', 3 / log(3) / (3 + 2 / log(3) + 1 / 2)],
    ['ndcg_exp', (7 / log(3) + 1 / log(5)) / (7 + 3 / log(3) + 1 / 2)],
    ['ndcg_exp@3', 7 / log(3) / (7 + 3 / log(3) + 1 / 2)],
    ['map', (1 / 2 + 2 / 4) / 3],
    ['map@3', 1 / 2 / 3],
    ['mrr', 1 / 2],
    ['mrr@1', 0],
    ['p@3', 1 / 3],
    ['recall@3', 1 / 3],
    ['success@1', 0],
    ['judged@3', 2 / 3],
    ['judged@10', 4 / 5],
    ['rprec', 1 / 3],
    // b and c each have one document of grade 0 above them, of two there are.
    ['bpref', (1 - 1 / 2 + (1 - 1 / 2)) / 3],
    ['num_ret', 5],
    ['num_rel', 3],
    ['num_rel_ret', 2],
  ])('%s', (metric, value) => expect(values[metric]).toBeCloseTo(value, 12));

  test('precision counts places that are not filled', () => {
    expect(evaluate(run, qrels, 'p@10').mean['p@10']).toBeCloseTo(0.2, 12);
  });
});

describe('which queries count', () => {
  const run = runOf({ both: ['a'], unjudged: ['a'], empty: [] });
  const qrels = qrelsOf({ both: { a: 1 }, empty: { a: 1 }, missing: { a: 1 } });

  test('those in both files, as in trec_eval', () => {
    const { queries, mean, missing, unjudged } = evaluate(run, qrels, 'map');
    expect([...queries.keys()]).toEqual(['both']);
    expect(mean).toEqual({ map: 1 });
    expect(missing).toEqual(['empty', 'missing']);
    expect(unjudged).toEqual(['unjudged']);
  });

  test('all that are judged, if complete', () => {
    const { queries, mean } = evaluate(run, qrels, 'map,judged@5', { complete: true });
    expect([...queries.keys()]).toEqual(['both', 'empty', 'missing']);
    expect(mean.map).toBeCloseTo(1 / 3, 12);
    expect(queries.get('missing')).toEqual({ map: 0, 'judged@5': 0 });
  });

  test('two files that do not belong together are refused', () => {
    expect(() => evaluate(runOf({ 1: ['a'] }), qrelsOf({ q1: { a: 1 } }), 'map')).toThrow(
      expect.objectContaining({ code: 'ERR_DATA' }),
    );
  });
});

describe('names', () => {
  test('trec_eval spellings are the same metrics under the name that was asked', () => {
    const run = runOf({ q: ['b', 'a', 'c'] });
    const qrels = qrelsOf({ q: { a: 2, c: 1 } });
    const { mean } = evaluate(
      run,
      qrels,
      'ndcg_cut_2,ndcg@2,P_2,p@2,recip_rank,mrr,Rprec,rprec,map_cut_2,map@2',
    );
    const names = Object.keys(mean);
    for (let i = 0; i < names.length; i += 2) expect(mean[names[i]!]).toBe(mean[names[i + 1]!]);
  });

  test('a list is read with spaces and repeats', () => {
    expect(parseMetrics(' ndcg@10, map ,ndcg@10').map(({ name }) => name)).toEqual(['ndcg@10', 'map']);
  });

  test.each([
    '',
    'ndgc@10',
    'p',
    'recall',
    'p@0',
    'p@-1',
    'p@1.5',
    'p@',
    'bpref@5',
    'map,',
    'ndcg@10@5',
    'toString',
  ])('%j is refused with the names that there are', (list) => {
    expect(() => parseMetrics(list)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringContaining('ndcg_exp[@k]') }),
    );
  });
});

describe('properties', () => {
  const judged = fc.dictionary(fc.constantFrom(...'abcdefghij'), fc.integer({ min: -1, max: 4 }), {
    minKeys: 1,
  });
  const ranking = fc.shuffledSubarray([...'abcdefghijklm'], { minLength: 1 });

  test('every metric lies in [0, 1]', () => {
    fc.assert(
      fc.property(ranking, judged, (ids, grades) => {
        const { mean } = evaluate(runOf({ q: ids }), qrelsOf({ q: grades }), ALL);
        for (const value of Object.values(mean)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  test('the best order reaches 1, and no order beats it', () => {
    fc.assert(
      fc.property(ranking, judged, (ids, grades) => {
        fc.pre(Object.values(grades).some((grade) => grade > 0));
        const best = Object.keys(grades).sort((a, b) => grades[b]! - grades[a]!);
        const names = 'ndcg,ndcg@3,ndcg_exp,ndcg_exp@3,map,mrr,rprec,bpref';
        const top = evaluate(runOf({ q: best }), qrelsOf({ q: grades }), names).mean;
        const other = evaluate(runOf({ q: ids }), qrelsOf({ q: grades }), names).mean;
        for (const name of names.split(',')) {
          expect(top[name]).toBeCloseTo(1, 12);
          expect(other[name]!).toBeLessThanOrEqual(top[name]! + 1e-12);
        }
      }),
    );
  });

  test('moving a better document up never lowers ndcg', () => {
    fc.assert(
      fc.property(ranking, judged, fc.nat(), (ids, grades, place) => {
        fc.pre(ids.length > 1);
        const i = 1 + (place % (ids.length - 1));
        const grade = (id: string): number => Math.max(0, grades[id] ?? 0);
        fc.pre(grade(ids[i]!) > grade(ids[i - 1]!));
        const moved = ids.with(i - 1, ids[i]!).with(i, ids[i - 1]!);
        const of = (list: string[]): number =>
          evaluate(runOf({ q: list }), qrelsOf({ q: grades }), 'ndcg').mean.ndcg!;
        expect(of(moved)).toBeGreaterThan(of(ids));
      }),
    );
  });
});
