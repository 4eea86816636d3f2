import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { ServerProcess } from '../../helpers/serverProcess.mjs';
import { ask } from '../harness.ts';
import { freshFolder } from './folder.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';
import { requestsUnderWay, workFigure } from './workloads.ts';

const folder = freshFolder();
const ROUNDS = 3;
const BURST = 12;
const CLIENTS = 4;

const documents = Array.from({ length: 200 }, (_, i) => ({
  id: `d${i}`,
  text: `Nurse ${i}. ${'patients and wards at night '.repeat(20)}`,
}));

test('SIGTERM under load: what was taken is answered, nothing new is, exit 0, nothing acknowledged is lost', async () => {
  const settings = { index: folder.path('terminate.seine'), slots: 2, drainMs: 60_000, workloads: PATIENT };
  const { below } = random(5);
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const server = await ServerProcess.start(settings);
    await ask(`${server.url}/documents`, documents);
    for (const id of acknowledged) expect((await ask(`${server.url}/documents/${id}`)).status).toBe(200);

    const before = await workFigure(server.url, 'admitted_total');
    let stopping = false;
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; !stopping; i++) {
        const id = `r${round}-${client}-${i}`;
        try {
          const { status } = await ask(`${server.url}/documents`, { id, text: `Ward ${i}.` });
          if (status === 200) acknowledged.add(id);
          else expect([429, 503]).toContain(status);
        } catch {
          // Refused or cut off before an answer: allowed only once the server was told to stop.
          expect(stopping).toBe(true);
        }
      }
    });
    // Each over a connection of its own; two slots, so that most of them wait when the signal comes.
    const burst = await Promise.all(Array.from({ length: BURST }, () => RawConnection.open(server.url)));
    for (const [i, connection] of burst.entries()) {
      await connection.send(
        rawRequest('POST', '/search', JSON.stringify({ query: `ward ${round} ${i}`, depth: 20 })),
      );
    }
    while ((await workFigure(server.url, 'admitted_total')) < before + BURST) await sleep(2);
    await sleep(below(30));
    stopping = true;
    server.signal('SIGTERM');
    const answers = await Promise.all(burst.map((connection) => connection.answer()));
    expect(answers.map(({ body }) => body.error)).toEqual(answers.map(() => undefined));
    expect(answers.every(({ body }) => body.hits.length === 10)).toBe(true);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await Promise.all(clients);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  }
  expect(acknowledged.size).toBeGreaterThan(ROUNDS);
});

test('a second signal ends it at once', async () => {
  const server = await ServerProcess.start({ index: folder.path('twice.seine'), drainMs: 600_000 });
  // An upload without an end would hold it up for all of that time.
  const upload = await RawConnection.open(server.url);
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' };
  await upload.send(rawRequest('POST', '/documents', undefined, headers));
  await requestsUnderWay(server.url, 2);
  server.signal('SIGTERM');
  while (await listens(server.url)) await sleep(5);
  expect(server.running).toBe(true);
  expect(await server.stop()).toEqual({ code: 130, signal: null });
  upload.destroy();
});

const listens = (url: string): Promise<boolean> =>
  RawConnection.open(url).then(
    (connection) => {
      connection.destroy();
      return true;
    },
    () => false,
  );
