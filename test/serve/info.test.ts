import { expect, test } from '@jest/globals';
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
