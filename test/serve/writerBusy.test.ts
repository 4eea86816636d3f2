import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DatabaseSync } from '@photostructure/sqlite';
import { ask, DOCUMENTS, holdSlot, startService, type TestService } from './harness.ts';

let server: TestService;
beforeAll(async () => {
  server = await startService();
  await ask(`${server.url}/documents`, DOCUMENTS);
});
afterAll(() => server.close());

test('what needs no writing is answered while the writer waits for the disk', async () => {
  const { url, folder } = server;
  // The writer's thread waits for this one, as for a slow disk, for up to ten seconds.
  const other = new DatabaseSync(join(folder, 'test.seine'));
  other.exec('BEGIN IMMEDIATE');
  const order: string[] = [];
  const written = ask(`${url}/documents`, { id: 'e', text: 'Bake bread.' }).then(() => order.push('written'));
  await sleep(500);
  expect((await ask(`${url}/documents/a`)).body.id).toBe('a');
  expect((await ask(`${url}/info`)).body.documents).toBe(4);
  expect((await ask(`${url}/openai/v1/models`)).body.data).toHaveLength(2);
  const embedding = { model: 'seine-embed-small', input: 'bread' };
  expect((await ask(`${url}/openai/v1/embeddings`, embedding)).status).toBe(200);
  const reranking = { model: 'seine-rank-small', query: 'bread', documents: ['a loaf'] };
  expect((await ask(`${url}/cohere/v2/rerank`, reranking)).status).toBe(200);
  expect((await ask(`${url}/jina/v1/rerank`, reranking)).status).toBe(200);
  expect((await ask(`${url}/tei/info`)).body.model_id).toBe('seine-embed-small');
  expect((await ask(`${url}/tei/embed`, { inputs: 'bread' })).status).toBe(200);
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  order.push('answered');
  other.exec('ROLLBACK');
  other.close();
  await written;
  expect(order).toEqual(['answered', 'written']);
});

test('what is acknowledged is got at once, with the generation that was told', async () => {
  for (let i = 0; i < 50; i++) {
    const { generation } = (await ask(`${server.url}/documents`, { id: 'f', text: `Version ${i}.` })).body;
    expect((await ask(`${server.url}/documents/f`)).body.text).toBe(`Version ${i}.`);
    expect((await ask(`${server.url}/info`)).body.generation).toBe(generation);
  }
});

test('a document is got when it is its turn', async () => {
  const held = await startService({
    ranker: 'none',
    slots: 1,
    workloads: { bulk: { maxShare: 1 }, judge: { maxShare: 1 } },
  });
  try {
    await ask(`${held.url}/documents`, DOCUMENTS);
    const letGo = await holdSlot(held, 'interactive');
    const got = ask(`${held.url}/documents/a`);
    while (held.service.work.state().interactive!.waiting === 0) await sleep(5);
    letGo();
    expect((await got).body.id).toBe('a');
  } finally {
    await held.close();
  }
});

test('ids to delete are counted, and a deletion that nobody waits for is not done', async () => {
  const ids = Array.from({ length: 1001 }, (_, i) => `d${i}`);
  const { status, body } = await ask(`${server.url}/documents/delete`, { ids });
  expect([status, body.error.code]).toEqual([400, 'ERR_ARGUMENT']);
  const { index } = server.service;
  const controller = new AbortController();
  const before = index.upsert([{ id: 'g', text: 'Bake.' }]);
  const gone = index.delete(['a'], { signal: controller.signal });
  controller.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  await before;
  expect(await index.get('a')).toBeDefined();
});
