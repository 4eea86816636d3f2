import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { ServerProcess } from '../../helpers/serverProcess.mjs';
import { ask } from '../harness.ts';
import { freshFolder } from './folder.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';
import { workFigure } from './workloads.ts';

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
    const taken = async (): Promise<number> => {
      return (await workFigure(server.url, 'admitted_total')) + (await workFigure(server.url, 'waiting'));
    };
    while ((await taken()) < BURST) await sleep(2);
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
  const server = await ServerProcess.start({ index: folder.path('twice.seine'), slots: 2 });
  await ask(`${server.url}/documents`, documents);
  const burst = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(server.url)));
  for (const connection of burst) {
    await connection.send(
      rawRequest('POST', '/search', JSON.stringify({ query: 'ward', k: 200, depth: 200 })),
    );
  }
  server.signal('SIGTERM');
  await sleep(20);
  const { code, signal } = await server.stop();
  expect(code === 0 && signal === null).toBe(false);
  for (const connection of burst) connection.destroy();
});
