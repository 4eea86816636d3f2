import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CohereClientV2, CohereError } from 'cohere-ai';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { ask, startServer, type TestServer } from '../harness.ts';

const model = 'seine-rank-small';
const query = 'care for the sick';
const documents = ['Move pallets in a warehouse.', 'A nurse cares for patients.', 'Keep order in the court.'];

let server: TestServer;
let cohere: CohereClientV2;
/** By document. */
let relevance: number[];
/** Best first. */
let order: number[];
beforeAll(async () => {
  server = await startServer();
  cohere = new CohereClientV2({ token: 'none', environment: `${server.url}/cohere`, maxRetries: 0 });
  const ranker = await openCrossEncoder(model);
  const { scores } = await ranker.score(query, documents);
  relevance = Array.from(scores, (logit) => 1 / (1 + Math.exp(-logit)));
  order = [0, 1, 2].sort((a, b) => scores[b]! - scores[a]!);
  await ranker.close();
});
afterAll(() => server.close());

const close = (value: number) => expect.closeTo(value, 5);

describe('Cohere', () => {
  test('documents come in order of relevance', async () => {
    const { id, results, meta } = await cohere.rerank({ model, query, documents });
    expect(results).toEqual(order.map((index) => ({ index, relevanceScore: close(relevance[index]!) })));

    expect(id).toMatch(/^[\w-]+$/);
    expect(meta).toEqual({ apiVersion: { version: '2' }, billedUnits: { searchUnits: 1 } });
  });

  test('topN leaves the best', async () => {
    const { results } = await cohere.rerank({ model, query, documents, topN: 1 });
    expect(results.map(({ index }) => index)).toEqual([order[0]]);
  });

  test('maxTokensPerDoc cuts documents', async () => {
    const cut = await cohere.rerank({
      model,
      query,
      documents: ['nurse and a warehouse'],
      maxTokensPerDoc: 1,
    });
    const short = await cohere.rerank({ model, query, documents: ['nurse'] });
    expect(cut.results[0]!.relevanceScore).toBeCloseTo(short.results[0]!.relevanceScore, 5);
  });

  test('failures are CohereErrors with code and sentence', async () => {
    const failure = cohere.rerank({ model: 'rerank-v3.5', query, documents });
    await expect(failure).rejects.toBeInstanceOf(CohereError);
    await expect(failure).rejects.toMatchObject({
      statusCode: 404,
      body: {
        code: 'ERR_NOT_FOUND',
        message: expect.stringContaining('the ranker here is "seine-rank-small"'),
      },
    });
    await expect(cohere.rerank({ model, query, documents: [] })).rejects.toMatchObject({ statusCode: 400 });
  });
});

describe('Jina', () => {
  const rerank = (body: object) => ask(`${server.url}/jina/v1/rerank`, { model, query, documents, ...body });

  test('documents come in order of relevance, with their texts unless they are not wanted', async () => {
    const { status, body } = await rerank({});
    expect(status).toBe(200);
    expect(body.results).toEqual(
      order.map((index) => ({
        index,
        relevance_score: close(relevance[index]!),
        document: { text: documents[index] },
      })),
    );
    expect(body).toMatchObject({ model, object: 'list' });
    expect((await rerank({ top_n: null, return_documents: null })).body.results).toEqual(body.results);
    expect((await rerank({ return_documents: false })).body.results).toEqual(
      order.map((index) => ({ index, relevance_score: close(relevance[index]!) })),
    );
    const mixed = documents.map((text, i) => (i === 1 ? { text } : text));
    const told = await rerank({ query: { text: query }, documents: mixed, return_documents: true, top_n: 2 });
    expect(told.body.results).toEqual(
      order.slice(0, 2).map((index) => ({
        index,
        relevance_score: close(relevance[index]!),
        document: { text: documents[index] },
      })),
    );
  });

  test('usage counts the tokens that are read, also of what is known already', async () => {
    const { body } = await rerank({ documents: ['nurse', 'a nurse'] });
    expect(body.usage).toEqual({ total_tokens: 3 });
    expect((await rerank({ documents: ['nurse', 'a nurse'] })).body.usage).toEqual({ total_tokens: 3 });
  });

  test('failures have a detail', async () => {
    const { status, body } = await rerank({ model: 'jina-reranker-v2' });
    expect(status).toBe(404);
    expect(body).toEqual({ code: 'ERR_NOT_FOUND', detail: expect.stringContaining('"jina-reranker-v2"') });
    expect((await rerank({ documents: [{ image: 'x' }] })).status).toBe(400);
  });
});

test('without a ranker there is no such model', async () => {
  const bare = await startServer({ ranker: 'none' });
  try {
    const { status, body } = await ask(`${bare.url}/cohere/v2/rerank`, { model, query, documents });
    expect(status).toBe(404);
    expect(body.message).toContain('nothing serves as ranker here');
    expect((await ask(`${bare.url}/rank`, { query, documents })).status).toBe(400);
    expect((await ask(`${bare.url}/openai/v1/models`)).body.data).toHaveLength(1);
  } finally {
    await bare.close();
  }
});
