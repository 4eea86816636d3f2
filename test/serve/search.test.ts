import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from './harness.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('POST /search', () => {
  test('an empty index has no hits', async () => {
    const { status, headers, body } = await ask(`${server.url}/search`, { query: 'nurse' });
    expect(status).toBe(200);
    expect(headers.get('x-request-id')).toBe(body.requestId);
    expect(body.hits).toEqual([]);
  });

  test('an unknown field is refused by name', async () => {
    const { status, body } = await ask(`${server.url}/search`, { query: 'nurse', limit: 3 });
    expect(status).toBe(400);
    expect(body.error.code).toBe('ERR_ARGUMENT');
    expect(body.error.message).toContain('"limit"');
  });
});
