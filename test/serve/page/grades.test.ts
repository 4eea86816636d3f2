import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readQrels } from '../../../ts/offline/evaluate/readQrels.ts';
import { readQueries } from '../../../ts/offline/evaluate/readQueries.ts';
import { Grades } from '../../../ts/serve/page/grades.ts';
import { Keeper } from '../../../ts/serve/page/keeper.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-grades-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What browsers give a page, in memory. */
function keeper(kept = new Map<string, string>()) {
  return new Keeper(() => ({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }));
}

async function written(grades: Grades) {
  const [qrels, queries] = [join(folder, 'qrels.trec'), join(folder, 'queries.jsonl')];
  writeFileSync(qrels, grades.qrels().text);
  writeFileSync(queries, grades.queries());
  return { qrels: await readQrels(qrels), queries: await readQueries(queries) };
}

describe('Grades', () => {
  test('both files are read by what judges runs, under the same query ids', async () => {
    const grades = new Grades(keeper());
    grades.set('night\nnurse "Bern"', 'a', 3);
    grades.set('night\nnurse "Bern"', 'b', 0);
    grades.set('дворник', 'c:1', 2);
    const { qrels, queries } = await written(grades);
    expect(queries).toEqual(
      new Map([
        ['q1', 'night\nnurse "Bern"'],
        ['q2', 'дворник'],
      ]),
    );
    expect(qrels).toEqual(
      new Map([
        [
          'q1',
          new Map([
            ['a', 3],
            ['b', 0],
          ]),
        ],
        ['q2', new Map([['c:1', 2]])],
      ]),
    );
  });

  test('a grade is given anew and taken back; ids of queries stay', async () => {
    const kept = keeper();
    const grades = new Grades(kept);
    grades.set('one', 'a', 1);
    grades.set('two', 'a', 2);
    grades.set('two', 'a', 3);
    grades.set('one', 'a', undefined);
    expect(grades.of('one')).toEqual(new Map());
    expect(new Grades(kept).of('two')).toEqual(new Map([['a', 3]]));
    expect(grades.count()).toEqual({ grades: 1, queries: 1 });
    const { qrels, queries } = await written(grades);
    expect([...qrels.keys()]).toEqual(['q2']);
    expect([...queries.keys()]).toEqual(['q2']);
    grades.clear();
    expect(grades.count()).toEqual({ grades: 0, queries: 0 });
  });

  test('what is no grade is left out, and queries that follow have ids of their own', () => {
    const good = { id: 'q7', query: 'one', grades: [['a', 1]] };
    const bad = [null, 'x', { ...good, id: 'x' }, { ...good, query: 5 }, { ...good, grades: [['a', 4]] }];
    const grades = new Grades(keeper(new Map([['seine.grades', JSON.stringify([...bad, good])]])));
    grades.set('two', 'b', 2);
    expect(grades.qrels().text).toBe('q7 0 a 1\nq8 0 b 2\n');
  });

  test('document ids that no TREC file can carry are left out and counted', () => {
    const grades = new Grades(keeper());
    grades.set('q', 'with space', 1);
    grades.set('q', 'with\ttab', 1);
    grades.set('q', '__proto__', 2);
    expect(grades.qrels()).toEqual({ text: 'q1 0 __proto__ 2\n', left: 2 });
  });
});
