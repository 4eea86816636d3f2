import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, DOCUMENTS, startServer, type TestServer } from './harness.ts';

let server: TestServer;
const search = (body: object, init?: RequestInit) => ask(`${server.url}/search`, body, init);
const get = (query: Record<string, string>) => ask(`${server.url}/search?${new URLSearchParams(query)}`);

describe('an empty index', () => {
  test('has no hits', async () => {
    server = await startServer();
    try {
      const { status, headers, body } = await search({ query: 'nurse' });
      expect(status).toBe(200);
      expect(headers.get('x-request-id')).toBe(body.requestId);
      expect(body).toMatchObject({ hits: [], ranked: 0, cached: 0, generation: 0 });
    } finally {
      await server.close();
    }
  });
});

describe('search', () => {
  beforeAll(async () => {
    server = await startServer();
    const dated = DOCUMENTS.map((document, i) => ({
      ...document,
      attributes: {
        ...document.attributes,
        posted: `2026-0${i + 1}-15`,
        tags: i === 0 ? ['night', 'care'] : ['day'],
        at: { lat: 46.9 + i, lon: 7.4 },
      },
    }));
    const { status } = await ask(`${server.url}/documents`, dated);
    expect(status).toBe(200);
  });
  afterAll(() => server.close());

  test('the answer tells everything about itself', async () => {
    const { body } = await search({ query: 'night nurse', facets: ['city', 'tags'] });
    expect(body.hits[0]).toEqual({
      id: 'a',
      rank: 1,
      score: expect.any(Number),
      scores: {
        dense: expect.any(Number),
        bm25: expect.any(Number),
        fused: expect.any(Number),
        ranker: expect.any(Number),
      },
      title: 'Night nurse',
      snippet: expect.any(String),
      highlights: [expect.objectContaining({ start: expect.any(Number), end: expect.any(Number) })],
      attributes: {
        city: 'Bern',
        pay: 90,
        posted: '2026-01-15T00:00:00.000Z',
        tags: ['night', 'care'],
        at: { lat: 46.9, lon: 7.4 },
      },
    });
    expect(body).toMatchObject({
      query: 'night nurse',
      workload: 'interactive',
      depth: 50,
      ranked: 4,
      cached: 0,
      truncated: 0,
      queryTruncated: false,
      device: 'cpu',
      facets: {
        city: [
          { value: 'Bern', count: 2 },
          { value: 'Basel', count: 1 },
          { value: 'Zurich', count: 1 },
        ],
        tags: [
          { value: 'day', count: 3 },
          { value: 'care', count: 1 },
          { value: 'night', count: 1 },
        ],
      },
    });
    expect(Object.keys(body.timings).sort()).toEqual(
      ['rank', 'respond', 'retrieve', 'total', 'understand', 'wait'].sort(),
    );
    expect((await search({ query: 'night nurse' })).body.cached).toBe(4);
  });

  test('GET is the same search', async () => {
    const options = { k: 2, offset: 1, depth: 3, retrieve: 'bm25' };
    const filter = { in: ['city', ['Bern', 'Basel']] };
    const posted = await search({ query: 'the night court', ...options, filter, facets: ['city', 'tags'] });
    const got = await get({
      q: 'the night court',
      ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
      filter: JSON.stringify(filter),
      facets: 'city,tags',
    });
    const { timings: _, requestId: __, cached: ___, ...expected } = posted.body;
    expect(got.body).toMatchObject(expected);
    expect(posted.body.hits).toHaveLength(1);
  });

  test.each([
    [{ gte: ['posted', '2026-03-01'] }, ['c', 'd']],
    [{ eq: ['posted', '2026-02-15T00:00:00Z'] }, ['b']],
    [{ lt: ['posted', Date.UTC(2026, 1, 1)] }, ['a']],
    [{ eq: ['tags', 'care'] }, ['a']],
    [{ near: ['at', { lat: 46.9, lon: 7.4 }, 1000] }, ['a']],
    [{ and: [{ eq: ['city', 'Bern'] }, { not: { gt: ['pay', 80] } }] }, ['c']],
  ])('dates, sets, points and numbers in a filter: %j', async (filter, ids) => {
    const { body } = await search({ query: 'work', filter, depth: 0 });
    expect(body.hits.map(({ id }: { id: string }) => id).sort()).toEqual(ids);
  });

  test('the depth is the one asked for, at most what is allowed', async () => {
    expect((await search({ query: 'nurse', depth: 2 })).body).toMatchObject({ depth: 2, ranked: 2 });
    expect((await search({ query: 'nurse', depth: 1000 })).body.depth).toBe(50);
    const bulk = await search({ query: 'nurse', depth: 0 }, { headers: { 'x-seine-workload': 'bulk' } });
    expect(bulk.status).toBe(415); // fetch says text/plain unless told otherwise
    const headers = { 'x-seine-workload': 'bulk', 'content-type': 'application/json' };
    expect((await search({ query: 'nurse', depth: 900 }, { headers })).body).toMatchObject({
      workload: 'bulk',
      depth: 900,
    });
    expect((await search({ query: 'nurse' }, { headers })).body.depth).toBe(50);
  });

  test('a searcher has scores of its own', async () => {
    const searcher = { id: 'ann', version: '1', profile: 'I drive a forklift.' };
    const query = 'a job for me';
    const shared = (await search({ query })).body;
    const own = (await search({ query, searcher })).body;
    expect([shared.cached, own.cached]).toEqual([0, 0]);
    const scoreOf = ({ hits }: typeof own, id: string) =>
      hits.find((hit: { id: string }) => hit.id === id).scores.ranker;
    expect(scoreOf(own, 'd')).not.toBe(scoreOf(shared, 'd'));
    expect((await search({ query, searcher })).body.cached).toBe(4);
  });

  test('what would begin after its deadline is not begun', async () => {
    const { status, headers, body } = await search({ query: 'nurse', deadlineMs: 1e-9 });
    expect([status, body.error.code]).toEqual([503, 'ERR_DEADLINE']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  test.each([
    [{ query: 'nurse', limit: 3 }, 'ERR_ARGUMENT', /body has no field "limit"/],
    [{}, 'ERR_ARGUMENT', /lacks the field "query"/],
    [{ query: 3 }, 'ERR_ARGUMENT', /body.query must be string, got 3/],
    [{ query: 'a', k: 0 }, 'ERR_ARGUMENT', /body.k/],
    [{ query: 'a', k: '3' }, 'ERR_ARGUMENT', /body.k must be integer/],
    [{ query: 'a', retrieve: 'sparse' }, 'ERR_ARGUMENT', /dense, bm25, fused/],
    [{ query: 'a', filter: { like: ['city', 'B'] } }, 'ERR_FILTER', /no operator "like"/],
    [{ query: 'a', filter: { eq: ['country', 'CH'] } }, 'ERR_FILTER', /no attribute "country"/],
    [{ query: 'a', facets: ['pay'] }, 'ERR_FILTER', /Facets count attributes/],
    [{ query: 'a', searcher: { id: 'a' } }, 'ERR_ARGUMENT', /searcher lacks the field "version"/],
  ])('%j is refused', async (body, code, message) => {
    const answer = await search(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: { code, message: expect.stringMatching(message), requestId: answer.headers.get('x-request-id') },
    });
  });

  test.each([
    [{ q: 'a', k: 'x' }, /querystring.k must be integer/],
    [{ query: 'a' }, /lacks the field "q"|no field "query"/],
    [{ q: 'a', filter: '{' }, /The filter is not JSON/],
  ])('?%j is refused', async (query, message) => {
    const { status, body } = await get(query as Record<string, string>);
    expect(status).toBe(400);
    expect(body.error.message).toMatch(message);
  });
});
