import { describe, expect, test } from '@jest/globals';
import type { Qrels, Run } from '../../../ts/core/types.ts';
import { bootstrap } from '../../../ts/offline/evaluate/bootstrap.ts';
import { compare } from '../../../ts/offline/evaluate/compare.ts';
import { evaluate, valuesOf } from '../../../ts/offline/evaluate/evaluate.ts';
import { evaluationReport } from '../../../ts/offline/evaluate/evaluationReport.ts';
import type { ReportInput } from '../../../ts/offline/evaluate/reportInput.ts';

const EVIL = `</td><script>alert('"&')</script>`;

function judged(ranking: Run, qrels: Qrels): Pick<ReportInput, 'ranking' | 'evaluation' | 'intervals'> {
  const evaluation = evaluate(ranking, qrels, 'ndcg@10,map,num_ret');
  const columns = bootstrap(evaluation.metrics.map((metric) => valuesOf(evaluation.queries, metric)));
  const intervals = Object.fromEntries(evaluation.metrics.map((metric, m) => [metric, columns[m]!]));
  return { ranking, evaluation, intervals };
}

function example(queries: number): { one: ReportInput; two: ReportInput } {
  const ids = Array.from({ length: queries }, (_, i) => (i === 0 ? EVIL : `q${i}`));
  const qrels: Qrels = new Map(
    ids.map((id, i) => [
      id,
      new Map([
        [`d${i}`, 3],
        [`e${i}`, 1],
        [EVIL, 0],
      ]),
    ]),
  );
  const runOf = (shift: number): Run =>
    new Map(
      ids.map((id, i) => {
        const list = (i + shift) % 3 === 0 ? [EVIL, 'x', `d${i}`] : [`d${i}`, EVIL];
        return [id, list.map((document, rank) => ({ id: document, score: -rank }))];
      }),
    );
  const run = judged(runOf(0), qrels);
  const against = judged(runOf(1), qrels);
  const texts = new Map([[EVIL, `text of ${EVIL}`]]);
  const about = {
    run: EVIL,
    qrelsPath: 'qrels.tsv',
    qrels,
    texts,
    command: `seine ${EVIL}`,
    versions: 'seine 0',
  };
  const comparison = compare(run.evaluation, against.evaluation);
  return {
    one: { ...about, ...run },
    two: { ...about, ...run, against: { path: EVIL, ...against, comparison } },
  };
}

describe.each(['one', 'two'] as const)('a report of %s', (which) => {
  const input = example(30)[which];
  const html = evaluationReport(input);

  test('stands alone and escapes what it was given', () => {
    expect(html).not.toMatch(/https?:|<script|<link|<img|@import|url\(/);
    expect(html).toContain('text of &lt;/td&gt;&lt;script&gt;');
    expect(html).toContain('seine &lt;/td&gt;');
    expect(html).not.toMatch(/undefined|NaN|\[object/);
  });

  test('every element that is opened is closed', () => {
    const open: string[] = [];
    for (const [, close, name, empty] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?(\/?)>/gi)) {
      if (['meta', 'br'].includes(name!) || empty === '/') continue;
      if (close === '/') expect(open.pop()).toBe(name);
      else open.push(name!);
    }
    expect(open).toEqual([]);
  });

  test('says means with intervals and shows the worst queries', () => {
    expect(html).toContain(input.evaluation.mean['ndcg@10']!.toFixed(4));
    expect(html).toContain('Worst queries by ndcg@10');
    expect(html).toContain('<td>d3 (grade 3, rank 3)</td>');
  });

  test(which === 'one' ? 'has no comparison' : 'shows gains and losses', () => {
    for (const title of ['Query by query', 'Largest losses', 'Largest gains']) {
      expect(html.includes(title)).toBe(which === 'two');
    }
  });
});

test('the marks of a chart stay few for many queries', () => {
  const html = evaluationReport(example(1600).two);
  expect(html.match(/<rect /g)!.length).toBeLessThan(1600);
  expect(html.match(/<circle /g)!.length).toBeLessThan(1600);
  expect(html).toContain('thinned out evenly');
});
