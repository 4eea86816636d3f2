import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { documents } from './sample.ts';
import { jsonLines, Workplace } from './seine.ts';

jest.setTimeout(120_000);
const place = new Workplace();
const index = ['--index', 'explain.seine'];

beforeAll(() => {
  place.file('corpus.jsonl', jsonLines(documents));
  expect(place.seine(['ingest', 'corpus.jsonl', ...index]).status).toBe(0);
});
afterAll(() => place.remove());

describe('explain', () => {
  test('with --json it tells the rank, the score and the scores of the hit', () => {
    const search = place.seine(['search', 'harbour', ...index, '--k', '3', '--json']);
    const [, hit] = JSON.parse(search.stdout).hits;
    const { status, stdout } = place.seine(['explain', 'harbour', '--id', hit.id, ...index, '--json']);
    expect(status).toBe(0);
    const { rank, score, scores } = hit;
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      id: hit.id,
      found: true,
      rank,
      score,
      scores,
    });
  });

  test('people see the reason and a block for each stage', () => {
    const [{ id, metadata }] = documents as [(typeof documents)[0]];
    const filter = JSON.stringify({ eq: ['kind', metadata.kind] });
    const { status, stdout } = place.seine(['explain', 'harbour', '--id', id, ...index, '--filter', filter]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\S.* {2}d\d+\n(Rank \d+|Not retrieved): .*\n/);
    for (const block of ['filter\n', 'vectors (seine-embed-small)\n', 'words (BM25)\n', 'fusion\n']) {
      expect(stdout).toContain(`\n\n${block}`);
    }
    expect(stdout).toContain(`✓ eq kind "${metadata.kind}": "${metadata.kind}"`);
  });

  test('a document that fails the filter or is not there is told so', () => {
    const [{ id, metadata }] = documents as [(typeof documents)[0]];
    const filter = JSON.stringify({ not: { eq: ['kind', metadata.kind] } });
    const out = place.seine(['explain', 'harbour', '--id', id, ...index, '--filter', filter]);
    expect(out.stdout).toContain('Filtered out: what filter.not excludes holds.');
    const gone = place.seine(['explain', 'harbour', '--id', 'nobody', ...index]);
    expect(gone.stdout).toContain('There is no document with the id "nobody".');
  });

  test('a filter that is no JSON and a missing id are refused', () => {
    const bad = place.seine(['explain', 'harbour', '--id', 'd1', ...index, '--filter', '{eq']);
    expect(bad.status).toBe(2);
    expect(bad.stderr).toContain('--filter must be JSON');
    expect(place.seine(['explain', 'harbour', ...index]).status).toBe(2);
  });
});
