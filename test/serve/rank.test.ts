import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { ask, type Json, startServer, type TestServer } from './harness.ts';

const query = 'care for the sick';
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
const rank = (body: object) => ask(`${server.url}/rank`, { query, ...body });

test('texts come best first, with the logits of the ranker', async () => {
  const documents = [
    'Move pallets.',
    { id: 'n', title: 'Nurse', text: 'Helps patients.' },
    { text: 'Bread' },
  ];
  const ranker = await openCrossEncoder('seine-rank-small');
  const { scores } = await ranker.score(query, ['Move pallets.', 'Nurse Helps patients.', 'Bread']);
  await ranker.close();
  const order = [0, 1, 2].sort((a, b) => scores[b]! - scores[a]!);
  const { status, headers, body } = await rank({ documents });
  expect(status).toBe(200);
  expect(body.results).toEqual(
    order.map((index, i) => ({
      index,
      ...(index === 1 && { id: 'n' }),
      score: expect.closeTo(scores[index]!, 4),
      rank: i + 1,
    })),
  );
  expect(body).toMatchObject({
    workload: 'interactive',
    ranked: 3,
    cached: 0,
    truncated: 0,
    queryTruncated: false,
  });
  expect(body.requestId).toBe(headers.get('x-request-id'));
  expect(Object.keys(body.timings).sort()).toEqual(['rank', 'total', 'wait']);
  expect((await rank({ documents, k: 1 })).body).toMatchObject({ results: [{ index: order[0] }], cached: 3 });
});

test('many texts are ranked in slices, as if together', async () => {
  const documents = Array.from({ length: 300 }, (_, i) => `Text ${i} ${'of some length '.repeat(i % 7)}`);
  const ranker = await openCrossEncoder('seine-rank-small');
  const { scores } = await ranker.score(query, documents);
  await ranker.close();
  const admitted = async (): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/seine_work_admitted_total\{workload="interactive"\} (\d+)/.exec(text)?.[1]);
  };
  const before = await admitted();
  const { body } = await rank({ documents });
  expect(body).toMatchObject({ ranked: 300, cached: 0 });
  const found = new Float32Array(300);
  for (const { index, score } of body.results) found[index] = score;
  found.forEach((score, i) => {
    expect(score).toBeCloseTo(scores[i]!, 3);
  });
  expect(body.results.map((result: Json) => result.rank)).toEqual(documents.map((_, i) => i + 1));
  expect((await admitted()) - before).toBeGreaterThan(1);
});

test('what a deadline does not reach follows as it came, without a score', async () => {
  const documents = Array.from({ length: 5000 }, (_, i) => `late ${i} ${'and long '.repeat(100)}`);
  const { status, body } = await rank({ documents, deadlineMs: 250 });
  expect(status).toBe(200);
  expect(body.ranked).toBeLessThan(5000);
  const scored = body.results.filter((result: Json) => result.score !== undefined);
  expect(scored).toEqual(body.results.slice(0, body.ranked));
  const rest = body.results.slice(body.ranked).map(({ index }: Json) => index);
  expect(rest).toEqual(rest.toSorted((a: number, b: number) => a - b));
});

test('no texts are no error', async () => {
  expect((await rank({ documents: [] })).body).toMatchObject({ results: [], ranked: 0 });
});

test.each([
  [{}, /lacks the field "documents"/],
  [{ documents: [3] }, /body.documents.0/],
  [{ documents: [{ title: 'a' }] }, /body.documents.0/],
  [{ documents: ['a'], k: 0 }, /body.k/],
  [{ documents: ['a'], deadlineMs: 0 }, /body.deadlineMs must be > 0/],
  [{ documents: ['a'], depth: 3 }, /no field "depth"/],
])('%j is refused', async (body, message) => {
  const answer = await rank(body);
  expect([answer.status, answer.body.error.code]).toEqual([400, 'ERR_ARGUMENT']);
  expect(answer.body.error.message).toMatch(message);
});
