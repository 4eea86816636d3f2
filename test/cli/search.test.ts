import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { documents, nouns } from './sample.ts';
import { jsonLines, main, Workplace } from './seine.ts';

jest.setTimeout(180_000); // dozens of processes, one after another
const place = new Workplace();

beforeAll(() => {
  place.file('corpus.jsonl', jsonLines(documents));
  const { status, stderr } = place.seine(['ingest', 'corpus.jsonl', '--index', 'flow.seine']);
  expect(stderr).toContain('300 documents: 300 new, 0 updated, 0 unchanged.');
  expect(status).toBe(0);
});
afterAll(() => place.remove());

describe('search', () => {
  test('people see rank, title, id, scores by stage and a snippet; timings are talk', () => {
    const { status, stdout, stderr } = place.seine([
      'search',
      'harbour',
      'number',
      '3',
      '--index',
      'flow.seine',
      '--k',
      '3',
    ]);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(9);
    expect(lines[0]).toMatch(/^1\. \S+ \d+ {2}d\d+$/);
    expect(lines[1]).toMatch(/^ {3}dense \S+( · bm25 \S+)? · fused \S+ · ranker \S+$/);
    expect(lines[2]).toMatch(/^ {3}The /);
    expect(stderr).toMatch(/^understand .* · rank [\d.]+ ms · .* · generation \d+\n/);
    expect(stderr).toContain('The ranker read only the head of 50 documents.');
  });

  test('with --json one object, with facets and the filter kept', () => {
    const filter = JSON.stringify({
      and: [{ eq: ['kind', 'ship'] }, { lt: ['size', 100] }, { gte: ['seen', '2026-01-10'] }],
    });
    const args = [
      'search',
      'ship',
      '--index',
      'flow.seine',
      '--k',
      '5',
      '--ranker',
      'none',
      '--filter',
      filter,
    ];
    const { stdout } = place.seine([...args, '--facets', 'kind', '--json']);
    const answer = JSON.parse(stdout);
    const passing = documents.filter(
      ({ metadata }) => metadata.kind === 'ship' && metadata.size < 100 && metadata.seen >= '2026-01-10',
    );
    expect(answer).toMatchObject({
      schemaVersion: 1,
      query: 'ship',
      ranked: 0,
      facets: { kind: [{ value: 'ship', count: passing.length }] },
    });
    expect(answer.hits).toHaveLength(Math.min(5, passing.length));
    const ids = passing.map(({ id }) => id);
    for (const hit of answer.hits) expect(ids).toContain(hit.id);
  });

  test('pages join without a gap', () => {
    const page = (offset: number, k: number) => {
      const args = [
        'search',
        'bridge',
        '--index',
        'flow.seine',
        '--offset',
        String(offset),
        '--k',
        String(k),
        '--json',
      ];
      return JSON.parse(place.seine(args).stdout).hits.map(({ id }: { id: string }) => id);
    };
    expect([...page(0, 4), ...page(4, 4)]).toEqual(page(0, 8));
  });

  test('a filter that nothing passes has no hits and is no failure', () => {
    const args = ['search', 'ship', '--index', 'flow.seine', '--filter', '{"lt":["size",0]}'];
    expect(place.seine(args)).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(/^No hits\.\n/),
    });
  });

  test('an unknown attribute names the known ones', () => {
    const args = ['search', 'ship', '--index', 'flow.seine', '--filter', '{"eq":["colour","red"]}'];
    const { status, stderr } = place.seine(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/"colour".*kind, .*size.*\[ERR_FILTER\]/);
  });

  test('an index that was built with another embedder is refused with the remedy', () => {
    const { status, stderr } = place.seine([
      'search',
      'x',
      '--index',
      'flow.seine',
      '--embedder',
      'other-embedder',
    ]);
    expect(status).toBe(3);
    expect(stderr).toMatch(/^seine: .*\[ERR_MODEL_MISMATCH\]\n$/);
  });

  (process.platform === 'win32' ? test.skip : test)('a reader that stops early is no failure', () => {
    const command = `"${process.execPath}" "${main}" search ship --index flow.seine --k 300 --json | head -c 10`;
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
      cwd: place.folder,
      env: place.env,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{\n  "schem' });
    expect(stderr).not.toMatch(/EPIPE|^\s+at /m);
  });
});

describe('run and evaluate', () => {
  test('a run of all queries, with the same hits as search, is judged', () => {
    const queries = nouns.map((noun) => ({ _id: `q-${noun}`, text: `${noun} number` }));
    place.file('queries.jsonl', jsonLines(queries));
    const qrels = queries.flatMap(({ _id }, n) =>
      documents.filter((_, i) => i % 8 === n).map(({ id }) => `${_id}\t0\t${id}\t1\n`),
    );
    place.file('qrels.tsv', qrels.join(''));
    const args = [
      'run',
      '--index',
      'flow.seine',
      '--queries',
      'queries.jsonl',
      '--out',
      'bm25.trec',
      '--k',
      '20',
    ];
    const { status, stdout } = place.seine([
      ...args,
      '--retrieve',
      'bm25',
      '--ranker',
      'none',
      '--json',
      '--quiet',
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      queries: 8,
      hits: 160,
      ranker: 'none',
      retrieve: 'bm25',
    });

    const lines = readFileSync(join(place.folder, 'bm25.trec'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(160);
    const found = place.seine([
      'search',
      'ship number',
      '--index',
      'flow.seine',
      '--k',
      '20',
      '--retrieve',
      'bm25',
      '--ranker',
      'none',
      '--json',
    ]);
    const ids = JSON.parse(found.stdout).hits.map(({ id }: { id: string }) => id);
    expect(lines.filter((line) => line.startsWith('q-ship ')).map((line) => line.split(' ')[2])).toEqual(ids);

    const judged = place.seine([
      'evaluate',
      '--run',
      'bm25.trec',
      '--qrels',
      'qrels.tsv',
      '--metrics',
      'p@10',
      '--json',
    ]);
    expect(judged.status).toBe(0);
    expect(JSON.parse(judged.stdout).mean['p@10']).toBeGreaterThan(0.5);
  });
});
