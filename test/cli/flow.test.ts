import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { jsonLines, main, Workplace } from './seine.ts';

jest.setTimeout(180_000); // dozens of processes, one after another
const place = new Workplace();
const NOUNS = ['river', 'sea', 'lake', 'harbour', 'ship', 'bridge', 'island', 'tide'];
const documents = Array.from({ length: 300 }, (_, i) => ({
  id: `d${i}`,
  title: `${NOUNS[i % 8]} ${i}`,
  text: `The ${NOUNS[i % 8]} number ${i} lies near the ${NOUNS[(i * 3 + 1) % 8]}. `.repeat(4),
  metadata: { kind: NOUNS[i % 8], size: i, seen: `2026-01-${String(1 + (i % 28)).padStart(2, '0')}` },
}));

beforeAll(() => {
  place.file('corpus.jsonl', jsonLines(documents));
  const { status, stderr } = place.seine(['ingest', 'corpus.jsonl', '--index', 'flow.seine']);
  expect(stderr).toContain('300 documents: 300 new, 0 updated, 0 unchanged.');
  expect(status).toBe(0);
});
afterAll(() => place.remove());

describe('ingest', () => {
  test('again: nothing is encoded', () => {
    const { status, stdout, stderr } = place.seine([
      'ingest',
      '.',
      '--index',
      'flow.seine',
      '--json',
      '--quiet',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      index: 'flow.seine',
      documents: 300,
      inserted: 0,
      updated: 0,
      unchanged: 300,
      tokens: 0,
      badLines: 0,
      badLineMessages: [],
      interrupted: false,
    });
  });

  test('standard input, mapped fields, and bad lines told by number', () => {
    const input = 'sku;name;about;tags\n1;Ship;floats;a|b\n2;Bridge;stands\n3;Tide;comes;c\n';
    const fields = [
      '--id-field',
      'sku',
      '--title-field',
      'name',
      '--text-field',
      'about',
      '--text-field',
      'name',
    ];
    const args = ['ingest', '-', '--index', 'shop.seine', ...fields, '--type', 'tags=set', '--json'];
    const { status, stdout, stderr } = place.seine(args, { input });
    expect(status).toBe(0);
    expect(stderr).toContain('Line 3 of standard input has 3 cells; the first row names 4 columns.\n');
    expect(JSON.parse(stdout)).toMatchObject({
      inserted: 2,
      badLines: 1,
      badLineMessages: ['Line 3 of standard input has 3 cells; the first row names 4 columns.'],
    });
    const filter = '{"eq":["tags","b"]}';
    const found = place.seine([
      'search',
      'floats',
      '--index',
      'shop.seine',
      '--filter',
      filter,
      '--json',
      '--quiet',
    ]);
    expect(JSON.parse(found.stdout).hits).toMatchObject([
      { id: '1', title: 'Ship', attributes: { tags: ['a', 'b'] } },
    ]);
  });

  test('types of the index hold for later files', () => {
    place.file('first.csv', 'id,text,code\n1,x,A1\n');
    place.file('second.csv', 'id,text,code\n2,y,12\n');
    expect(place.seine(['ingest', 'first.csv', '--index', 'types.seine']).status).toBe(0);
    expect(place.seine(['ingest', 'second.csv', '--index', 'types.seine']).status).toBe(0);
    const filter = '{"eq":["code","12"]}';
    const { stdout } = place.seine(['search', 'y', '--index', 'types.seine', '--filter', filter, '--json']);
    expect(JSON.parse(stdout).hits).toMatchObject([{ id: '2' }]);
  });

  const total = 8_000;
  const many = Array.from({ length: total }, (_, i) => ({ id: `m${i}`, text: `ship ${i} `.repeat(12) }));

  /** Ends an ingest by `signal` at its first sign of progress; the exit status, and what it said. */
  async function interrupted(index: string, signal: NodeJS.Signals): Promise<[number | null, string]> {
    place.file('many.jsonl', jsonLines(many));
    const child = place.start(['ingest', 'many.jsonl', '--index', index]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (/[1-9]\d* documents\n/.test(stderr) && !child.killed) child.kill(signal);
    });
    const [status] = await once(child, 'close');
    return [status, stderr];
  }

  function resumed(index: string): { inserted: number; updated: number; unchanged: number } {
    const { status, stdout, stderr } = place.seine([
      'ingest',
      'many.jsonl',
      '--index',
      index,
      '--json',
      '--quiet',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  test('Ctrl-C ends in order, and the same command goes on without encoding twice', async () => {
    const [status, stderr] = await interrupted('interrupted.seine', 'SIGINT');
    expect(status).toBe(130);
    const committed = Number(
      /Interrupted with ([\d,]+) documents committed/.exec(stderr)?.[1]?.replaceAll(',', ''),
    );
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(total);
    const counts = { inserted: total - committed, updated: 0, unchanged: committed };
    expect(resumed('interrupted.seine')).toMatchObject(counts);
  });

  test('after a crash the same command goes on from what was committed', async () => {
    const [, stderr] = await interrupted('killed.seine', 'SIGKILL');
    const reported = Number(/([\d,]+) documents\n$/.exec(stderr)?.[1]?.replaceAll(',', ''));
    const { inserted, updated, unchanged } = resumed('killed.seine');
    expect(unchanged).toBeGreaterThanOrEqual(reported);
    expect({ updated, total: inserted + unchanged }).toEqual({ updated: 0, total });
  });
});

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
    const queries = NOUNS.map((noun) => ({ _id: `q-${noun}`, text: `${noun} number` }));
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

describe('reembed', () => {
  test('the index changes over to the new model and keeps its documents', () => {
    execFileSync(process.execPath, [main, 'ingest', 'corpus.jsonl', '--index', 'anew.seine', '--quiet'], {
      cwd: place.folder,
      env: place.env,
    });
    const { status, stdout, stderr } = place.seine([
      'reembed',
      '--index',
      'anew.seine',
      '--embedder',
      'other-embedder',
      '--json',
      '--quiet',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      embedder: 'other-embedder',
      documents: 300,
    });
    const found = place.seine(['search', 'ship', '--index', 'anew.seine', '--retrieve', 'dense', '--json']);
    expect(JSON.parse(found.stdout).hits).toHaveLength(10);
    const again = place.seine(['ingest', 'corpus.jsonl', '--index', 'anew.seine', '--json', '--quiet']);
    expect(JSON.parse(again.stdout)).toMatchObject({ unchanged: 300, tokens: 0 });
  });
});

const jobs = fileURLToPath(new URL('../../../shared/data/jobs', import.meta.url));
if (!existsSync(jobs))
  console.warn('The flow over job postings is skipped: there is no ../shared/data/jobs.');

(existsSync(jobs) ? describe : describe.skip)('job postings with the models that come with Seine', () => {
  const defaults = { env: { SEINE_MODELS: '' } };

  test('ingest, search with every default, filter', () => {
    const head = readFileSync(join(jobs, 'corpus.jsonl'), 'utf8').split('\n').slice(0, 300);
    place.file('jobs.jsonl', head.join('\n'));
    const ingested = place.seine(
      ['ingest', 'jobs.jsonl', '--index', 'jobs.seine', '--json', '--quiet'],
      defaults,
    );
    expect(JSON.parse(ingested.stdout)).toMatchObject({ inserted: 300, badLines: 0 });

    const filter = JSON.stringify({ and: [{ eq: ['remote', false] }, { gte: ['posted_at', '2026-01-01'] }] });
    const args = [
      'search',
      'runs a company',
      '--index',
      'jobs.seine',
      '--filter',
      filter,
      '--json',
      '--quiet',
    ];
    const { status, stdout, stderr } = place.seine(args, defaults);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { hits, ranked } = JSON.parse(stdout);
    expect(ranked).toBe(50);
    expect(hits).toHaveLength(10);
    expect(hits[0].title).toMatch(/chief|executive|manager|president|director/i);
    for (const { attributes, scores } of hits) {
      expect(attributes.remote).toBe(false);
      expect(attributes.posted_at >= '2026-01-01').toBe(true);
      expect(scores).toMatchObject({ fused: expect.any(Number), ranker: expect.any(Number) });
    }
  });
});
