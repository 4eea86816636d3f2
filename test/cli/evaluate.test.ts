import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { scratch } from '../offline/evaluate/scratch.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const { path, write } = scratch();

function seine(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, 'evaluate', ...args], { encoding: 'utf8' });
}

const qrels = write(
  'qrels.tsv',
  'query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\ta\t1\nq3\ta\t1\n__proto__\ta\t1\n',
);
const good = write(
  'good.trec',
  'q1 Q0 a 1 2 t\nq2 Q0 b 1 2 t\nq2 Q0 a 2 1 t\n__proto__ Q0 a 1 2 t\nq9 Q0 a 1 2 t\n',
);
const bad = write(
  'bad.trec',
  'q1 Q0 b 1 2 t\nq1 Q0 a 2 1 t\nq2 Q0 b 1 2 t\n__proto__ Q0 a 1 2 t\nq3 Q0 a 1 2 t\n',
);

describe('seine evaluate', () => {
  test('prints a table to standard output and talk to standard error', () => {
    const { status, stdout, stderr } = seine('--run', good, '--qrels', qrels, '--metrics', 'mrr,p@1');
    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^metric {2,}mean {2,}95 % interval$/);
    expect(stdout).toMatch(/^mrr +0\.8333 +\[0\.\d{4}, 1\.0000\]$/m);
    expect(stdout).toMatch(/^p@1 +0\.6667 /m);
    expect(stderr).toContain('left out as in trec_eval: 1; --complete counts them as 0 (mrr 0.6250)');
    expect(stderr).toContain('3 queries');
  });

  test('--quiet keeps the table and the warning', () => {
    const { stdout, stderr } = seine(
      '--run',
      good,
      '--qrels',
      qrels,
      '--metrics',
      'mrr',
      '--quiet',
      '--complete',
    );
    expect(stdout).toMatch(/^mrr +0\.6250/m);
    expect(stderr).toBe(`${good}: judged queries without results, counted as 0: 1.\n`);
  });

  test('--json prints one object', () => {
    const { stdout } = seine(
      '--run',
      good,
      '--qrels',
      qrels,
      '--against',
      bad,
      '--metrics',
      'mrr,p@1',
      '--json',
    );
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      schemaVersion: 1,
      metrics: ['mrr', 'p@1'],
      mean: { mrr: 5 / 6, 'p@1': 2 / 3 },
      missing: ['q3'],
      unjudged: ['q9'],
      intervals: { mrr: { high: 1 } },
      comparison: { against: bad, compared: 3, missing: [], mean: { mrr: 0.625 } },
    });
    expect(Object.keys(result.queries).sort()).toEqual(['__proto__', 'q1', 'q2']);
    expect(result.queries.q2).toEqual({ mrr: 0.5, 'p@1': 0 });
    const difference = result.comparison.differences.mrr;
    expect(difference).toMatchObject({ better: 2, worse: 0, equal: 1, p: 0.5, exact: true });
    expect(difference.mean).toBeCloseTo(1 / 3, 12);
  });

  test('--html writes a page with the texts of the queries and the command', () => {
    const queries = write('queries.jsonl', '{"_id":"q1","text":"a <b>bold</b> query"}\n');
    const html = path("re'port.html");
    const args = ['--run', good, '--qrels', qrels, '--against', bad, '--html', html, '--queries', queries];
    const { status, stderr } = seine(...args);
    expect({ status, named: stderr.includes(html) }).toEqual({ status: 0, named: true });
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('a &lt;b&gt;bold&lt;/b&gt; query');
    expect(page).toContain('re&#39;\\&#39;&#39;port.html');
    expect(page).toMatch(/seine \d+\.\d+\.\d+, Node\.js v/);
    expect(page).not.toMatch(/https?:/);
  });

  test.each([
    ['an unknown metric', ['--metrics', 'ndgc@10'], 2, 'ndcg[@k]'],
    ['texts without a report', ['--queries', good], 2, '--html'],
    ['a run that is not there', ['--run', path('none.trec')], 3, 'none.trec'],
    ['a run that is none', ['--run', qrels], 5, 'line 1'],
    ['a report that cannot be written', ['--html', path('none/report.html')], 4, 'none/report.html'],
    ['an unknown option', ['--mertics', 'map'], 2, '--mertics'],
  ])('%s: one sentence and the exit status', (_, args, status, said) => {
    const { stdout, stderr, ...ended } = seine('--qrels', qrels, '--run', good, '--quiet', ...args);
    expect({ status: ended.status, stdout, stderr }).toEqual({
      status,
      stdout: '',
      stderr: expect.stringContaining(said),
    });
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(path('none'))).toBe(false);
  });

  test('--help shows the metrics and examples', () => {
    const { status, stdout } = seine('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/ndcg_exp\[@k\][\s\S]*Examples:/);
  });
});
