import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { describeWithShared } from '../helpers/describeWithShared.ts';
import { Workplace } from './seine.ts';

jest.setTimeout(180_000);
const place = new Workplace();
afterAll(() => place.remove());

describeWithShared('job postings with the models that come with Seine', 'data/jobs', (jobs) => {
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
