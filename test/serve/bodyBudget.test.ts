import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RawConnection, rawRequest } from './faults/rawConnection.ts';
import { requestsUnderWay } from './faults/workloads.ts';
import { ask, startServer, type TestServer } from './harness.ts';

const BODY_LIMIT = 2 ** 18;
/** 32 times the limit, beside the first 64 KiB of each. */
const TOGETHER = 32 * BODY_LIMIT;
const COUNTED = BODY_LIMIT - 65_536;
const FITTING = Math.floor(TOGETHER / COUNTED);

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ ranker: 'none', bodyLimit: BODY_LIMIT });
});
afterAll(() => server.close());

/** A body of the greatest length, but for its last byte. */
async function begin(path: string, type = 'application/json'): Promise<RawConnection> {
  const connection = await RawConnection.open(server.url);
  const headers = { 'content-type': type, 'content-length': String(BODY_LIMIT) };
  await connection.send(rawRequest('POST', path, undefined, headers));
  await connection.send(Buffer.alloc(BODY_LIMIT - 1, ' '));
  return connection;
}

test.each([
  ['/documents', 'application/json', 400],
  ['/rank', 'application/json', 400],
  ['/documents?atomic=true', 'application/x-ndjson', 200],
])(
  'bodies under way are bounded together, small ones taken all the same: %s as %s',
  async (path, type, done) => {
    const open = await Promise.all(Array.from({ length: FITTING + 1 }, () => begin(path, type)));
    // It is the one that is read last.
    const refused = await Promise.race(open.map((connection) => connection.answer()));
    expect([refused.status, refused.headers['retry-after'], refused.body.error.code]).toEqual([
      429,
      '1',
      'ERR_OVERLOADED',
    ]);
    expect(refused.body.error.message).toContain(`requests under way fill the ${TOGETHER} bytes`);
    expect((await ask(`${server.url}/search`, { query: 'nurse' })).status).toBe(200);

    // Of those that have left, and of those that are answered, nothing is held.
    for (const connection of open) connection.socket.resetAndDestroy();
    for (let round = 0; round < 2; round++) {
      await requestsUnderWay(server.url, 1);
      const next = await Promise.all(Array.from({ length: FITTING }, () => begin(path, type)));
      for (const connection of next) {
        await connection.send(' ');
        expect((await connection.answer()).status).toBe(done);
        connection.destroy();
      }
    }
  },
);
