import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, DOCUMENTS, type Json, startServer, startService, type TestServer } from './harness.ts';

const { blend } = JSON.parse(readFileSync('models/seine-rank-small/seine.json', 'utf8'));
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await ask(`${server.url}/documents`, DOCUMENTS);
});
afterAll(() => server.close());
const explain = async (body: object): Promise<Json> => (await ask(`${server.url}/explain`, body)).body;

test('rank and scores are those of a search with the same options', async () => {
  const query = 'night nurse in a warehouse';
  for (const options of [{}, { retrieve: 'bm25', depth: 0 }, { depth: 2, filter: { gt: ['pay', 65] } }]) {
    const { body } = await ask(`${server.url}/search`, { query, ...options });
    for (const { id, rank, scores, title } of body.hits) {
      const told = await explain({ query, id, ...options });
      expect(told).toMatchObject({
        id,
        title,
        found: true,
        rank,
        depth: body.depth,
        workload: 'interactive',
      });
      for (const [stage, score] of Object.entries(scores))
        expect(told.scores[stage]).toBeCloseTo(score as number, 4);
    }
  }
});

test('all parts come through whole', async () => {
  const told = await explain({ query: 'night nurse', id: 'a', filter: { eq: ['city', 'Bern'] } });
  expect(told).toMatchObject({
    outcome: 'ranked',
    decidedBy: 'ranker',
    reason: expect.stringMatching(/\.$/),
    requestId: expect.any(String),
    filter: {
      path: 'filter.eq',
      operator: 'eq',
      passes: true,
      attribute: 'city',
      wanted: 'Bern',
      value: 'Bern',
    },
    retrieval: {
      mode: 'fused',
      passing: 2,
      dense: { rank: 1, query: { kept: expect.any(Number), cut: 0 }, document: { cut: 0 } },
      bm25: { matches: true, words: { has: ['night', 'nurse'], lacks: [] } },
      fusion: { addends: [{ list: 'dense' }, { list: 'bm25' }] },
    },
    ranking: { logit: expect.any(Number), blend, before: 1, after: 1 },
  });
});

test('a document that is not found is explained too', async () => {
  const filter = { eq: ['city', 'Basel'] };
  expect(await explain({ query: 'nurse', id: 'a', filter })).toMatchObject({
    outcome: 'filteredOut',
    found: false,
    filter: { passes: false, value: 'Bern' },
  });
  expect(await explain({ query: 'nurse', id: 'nobody' })).toMatchObject({
    outcome: 'noDocument',
    found: false,
  });
  expect(await explain({ query: ' ', id: 'a' })).toMatchObject({ outcome: 'noQuery' });
});

test('what is not valid is refused', async () => {
  expect((await explain({ query: 'nurse' })).error.message).toMatch(/lacks the field "id"/);
  expect((await explain({ query: 'nurse', id: 'a', facets: [] })).error.message).toMatch(/no field "facets"/);
  expect((await explain({ query: 'nurse', id: 'a', filter: { eq: ['x', 1] } })).error.code).toBe(
    'ERR_FILTER',
  );
});

test('a hit is explained at the depth at which it was found, also when less is allowed meanwhile', async () => {
  const depth = { least: 1, greatest: 3, targetMs: 10 };
  const loaded = await startService({ workloads: { interactive: { depth } } });
  try {
    await ask(`${loaded.url}/documents`, DOCUMENTS);
    const question = { query: 'night nurse in a warehouse', depth: 3 };
    const found = (await ask(`${loaded.url}/search`, question)).body;
    expect(found.depth).toBe(3);
    const controller = loaded.service.depths.get('interactive')!;
    while (controller.depth > 1) {
      controller.observe(10_000);
      await sleep(20);
    }
    expect((await ask(`${loaded.url}/search`, question)).body.depth).toBe(1);
    for (const { id, rank, score } of found.hits) {
      const told = (await ask(`${loaded.url}/explain`, { ...question, id })).body;
      expect(told).toMatchObject({ depth: 3, rank, score: expect.closeTo(score, 4) });
    }
    const beyond = await ask(`${loaded.url}/explain`, { ...question, depth: 900, id: 'a' });
    expect(beyond.body.depth).toBe(3);
  } finally {
    await loaded.close();
  }
});
