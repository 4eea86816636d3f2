import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { weighingEmbedder } from '../helpers/weighingEmbedder.ts';
import { ask, DOCUMENTS, startServer } from './harness.ts';

test('/info tells what is served', async () => {
  const server = await startServer({ workloads: { interactive: { depth: { least: 3, greatest: 30 } } } });
  try {
    await ask(`${server.url}/documents`, DOCUMENTS);
    const { status, body } = await ask(`${server.url}/info`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      documents: 4,
      rows: 4,
      generation: expect.any(Number),
      attributes: { city: 'keyword', pay: 'number' },
      model: { name: 'seine-embed-small', dim: 384, maxTokens: 256 },
      ranker: 'seine-rank-small',
      device: expect.stringMatching(/^cpu /),
      workloads: { interactive: { depth: { now: 30, least: 3, greatest: 30 } } },
    });
    expect(JSON.stringify(body)).not.toContain(server.folder);
  } finally {
    await server.close();
  }
});

test('an embedder that weighs attributes serves with them, and says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seine-weighing-'));
  const pay = { attribute: 'pay', mean: 60, deviation: 10, weight: 5 };
  const embedder = weighingEmbedder(join(folder, 'embedder'), { similarity: 1, features: [pay] });
  const server = await startServer({ embedder, ranker: 'none' });
  try {
    await ask(`${server.url}/documents`, DOCUMENTS);
    const { body: info } = await ask(`${server.url}/info`);
    expect(info.model.weights).toEqual({ similarity: 1, attributes: { pay: 5 } });
    const { body } = await ask(`${server.url}/search`, { query: 'nurse', retrieve: 'dense' });
    const paid = DOCUMENTS.filter(({ attributes }) => typeof attributes?.pay === 'number');
    paid.sort((a, b) => Number(b.attributes!.pay) - Number(a.attributes!.pay));
    expect(body.hits[0].id).toBe(paid[0]!.id);
    const question = { query: 'nurse', id: paid[0]!.id, retrieve: 'dense' };
    const { body: told } = await ask(`${server.url}/explain`, question);
    const [addend] = told.retrieval.dense.features.attributes;
    const value = Number(paid[0]!.attributes!.pay);
    expect(addend).toMatchObject({ attribute: 'pay', value, weight: 5 });
    expect(addend.addend).toBeCloseTo((5 * (value - 60)) / 10, 5);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
