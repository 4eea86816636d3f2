import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../../ts/models/encoder.ts';
import { ask, startServer, type TestServer } from '../harness.ts';

const long = 'seven seas '.repeat(2000);
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Units of work so far. */
const admitted = async (): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/seine_work_admitted_total\{workload="interactive"\} (\d+)/.exec(text)?.[1]);
};

describe('/tei/embed', () => {
  const embed = (body: object) => ask(`${server.url}/tei/embed`, body);

  test('one text or several become vectors of length 1', async () => {
    const encoder = await openEncoder('seine-embed-small');
    const { vectors } = await encoder.encode(['night nurse'], { kind: 'document' });
    await encoder.close();
    const { status, body } = await embed({ inputs: 'night nurse' });
    expect(status).toBe(200);
    const norm = Math.hypot(...vectors);
    expect(body).toEqual([Array.from(vectors, (value) => expect.closeTo(value / norm, 5))]);
    const raw = await embed({ inputs: ['night nurse', 'b'], normalize: false });
    expect(raw.body).toHaveLength(2);
    expect(raw.body[0]).toEqual([...vectors]);
    for (const vector of (await embed({ inputs: ['b', 'c d'] })).body)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });

  test('texts that are too long are refused unless they may be cut', async () => {
    const { status, body } = await embed({ inputs: ['a', long] });
    expect(status).toBe(413);
    expect(body).toEqual({
      error: expect.stringMatching(/at most 256 tokens; number 1/),
      error_type: 'Validation',
      code: 'ERR_TOO_LARGE',
    });
    expect((await embed({ inputs: ['a', long], truncate: true })).body).toHaveLength(2);
  });

  test('of many texts those behind the first that is too long are not read', async () => {
    const inputs = [long, ...Array.from({ length: 100 }, (_, i) => `text ${i} `.repeat(60))];
    const before = await admitted();
    expect((await embed({ inputs })).status).toBe(413);
    expect((await admitted()) - before).toBe(1);
    expect((await embed({ inputs, truncate: true })).body).toHaveLength(101);
    expect((await admitted()) - before).toBeGreaterThan(2);
  });

  test.each([
    [{ inputs: [] }, 400, 'Empty', /`inputs` cannot be empty/],
    [{ inputs: [1, 2] }, 400, 'Validation', /token ids are not taken/],
    [{ inputs: 'a', truncation_direction: 'Left' }, 400, 'Validation', /must be "right"/],
    [{ inputs: 'a', dimensions: 3 }, 400, 'Validation', /dimensions must be 64, 128, 256, 384/],
    [{ input: 'a' }, 400, 'Validation', /lacks the field "inputs"/],
  ])('%j is refused', async (request, status, type, message) => {
    const answer = await embed(request);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error_type: type, error: expect.stringMatching(message) });
  });

  test('null stands for what is not given', async () => {
    const nothing = { normalize: null, truncate: null, prompt_name: null, dimensions: null };
    expect((await embed({ inputs: 'a', ...nothing })).body).toEqual((await embed({ inputs: 'a' })).body);
  });
});

describe('/tei/rerank', () => {
  const query = 'care for the sick';
  const texts = ['Move pallets.', 'A nurse cares for patients.', 'Keep order.'];
  const rerank = (body: object) => ask(`${server.url}/tei/rerank`, { query, texts, ...body });

  test('texts come in order of their scores, raw or from 0 to 1', async () => {
    const ranker = await openCrossEncoder('seine-rank-small');
    const { scores } = await ranker.score(query, texts);
    await ranker.close();
    const order = [0, 1, 2].sort((a, b) => scores[b]! - scores[a]!);
    const raw = await rerank({ raw_scores: true });
    expect(raw.body).toEqual(order.map((index) => ({ index, score: expect.closeTo(scores[index]!, 4) })));
    const told = await rerank({ return_text: true });
    expect(told.body).toEqual(
      order.map((index) => ({
        index,
        text: texts[index],
        score: expect.closeTo(1 / (1 + Math.exp(-scores[index]!)), 5),
      })),
    );
  });

  test('no texts, and texts that are too long, are refused', async () => {
    expect((await rerank({ texts: [] })).body).toMatchObject({ error_type: 'Empty' });
    const { status, body } = await rerank({ texts: [long] });
    expect(status).toBe(413);
    expect(body.error_type).toBe('Validation');
    expect((await rerank({ texts: [long], truncate: true })).body).toHaveLength(1);
    const many = [long, ...Array.from({ length: 200 }, (_, i) => `text ${i} `.repeat(60))];
    const before = await admitted();
    expect((await rerank({ texts: many })).status).toBe(413);
    expect((await admitted()) - before).toBe(1);
  });
});

test('/tei/info and /tei/health', async () => {
  const { body } = await ask(`${server.url}/tei/info`);
  expect(body).toMatchObject({
    model_id: 'seine-embed-small',
    model_type: { embedding: {} },
    max_input_length: 256,
    max_client_batch_size: 2048,
    auto_truncate: false,
  });
  const health = await fetch(`${server.url}/tei/health`);
  expect(health.status).toBe(200);
  expect(await health.text()).toBe('');
});

test('overload has the status and type of TEI', async () => {
  const busy = await startServer({
    slots: 2,
    workloads: { interactive: { queue: 0 }, bulk: {}, judge: {} },
  });
  try {
    const inputs = Array.from({ length: 200 }, (_, i) => `text ${i} `.repeat(20));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask(`${busy.url}/tei/embed`, { inputs, truncate: true })),
    );
    const shed = answers.find(({ status }) => status === 429);
    expect(shed?.body).toMatchObject({ error_type: 'Overloaded', code: 'ERR_OVERLOADED' });
    expect(Number(shed?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  } finally {
    await busy.close();
  }
});
