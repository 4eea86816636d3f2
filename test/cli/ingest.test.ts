import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { documents } from './sample.ts';
import { jsonLines, Workplace } from './seine.ts';

jest.setTimeout(180_000); // dozens of processes, one after another
const place = new Workplace();

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

describe('reembed', () => {
  test('the index changes over to the new model and keeps its documents', () => {
    expect(place.seine(['ingest', 'corpus.jsonl', '--index', 'anew.seine', '--quiet']).status).toBe(0);
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
