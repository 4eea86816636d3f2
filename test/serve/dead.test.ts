import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { ServerProcess } from '../helpers/serverProcess.mjs';
import { startedWorkers } from '../helpers/startedWorkers.ts';
import { freshFolder } from './faults/folder.ts';
import { ask, DOCUMENTS, startServer } from './harness.ts';

afterAll(() => ServerProcess.killAll());
const folder = freshFolder();

test.each([
  ['writer', /The worker of the store .* has ended/],
  ['reader', /The worker of the store .* has ended/],
  ['embedder', /The thread of the model seine-embed-small .* has ended/],
  ['ranker', /The thread of the model seine-rank-small .* has ended/],
] as const)(
  'a server whose %s has died is not ready any more, says why, and closes',
  async (part, reason) => {
    const { started: server, workers, models } = await startedWorkers(() => startServer());
    const [writer, reader] = workers.filter((worker) => !models.has(worker));
    const [embedder, ranker] = [true, false].map(
      (embeds) => [...models].find(([, info]) => 'dim' in info === embeds)?.[0],
    );
    expect(workers).toHaveLength(4);
    await ask(`${server.url}/documents`, DOCUMENTS);
    expect((await ask(`${server.url}/readyz`)).status).toBe(200);
    await { writer, reader, embedder, ranker }[part]!.terminate();
    expect((await server.failed).message).toMatch(reason);
    const { status, body } = await ask(`${server.url}/readyz`);
    expect([status, body.error.code]).toEqual([503, 'ERR_CLOSED']);
    expect(body.error.message).toMatch(reason);
    expect((await fetch(`${server.url}/tei/health`)).status).toBe(503);
    expect((await ask(`${server.url}/healthz`)).status).toBe(200);
    const metrics = await fetch(`${server.url}/metrics`);
    expect(metrics.status).toBe(200);
    const documents = /^seine_index_documents (\d+)$/m.exec(await metrics.text())?.[1];
    expect(documents).toBe(part === 'reader' ? undefined : '4');
    await server.close();
  },
);

test('seine serve ends when a part has died, for a supervisor to start it again', async () => {
  const server = await ServerProcess.start({ index: join(folder.path('dead.seine')) });
  await ask(`${server.url}/documents`, DOCUMENTS);
  await server.terminateRanker();
  expect(await server.exited).toEqual({ code: 6, signal: null });
  while (!server.output.includes('ERR_CLOSED')) await sleep(5);
  expect(server.output).toMatch(/seine: The thread of the model seine-rank-small .* has ended/);
});
