import { Agent, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ERRORS } from '../../ts/core/errors.ts';
import { ServerProcess } from '../helpers/serverProcess.mjs';
import { freshFolder } from './faults/folder.ts';
import { type FuzzRequest, type OpenApi, requests } from './fuzz/requests.ts';
import { ask, DOCUMENTS, type Json } from './harness.ts';

/** Requests in all. */
const COUNT = Number(process.env.SEINE_FUZZ ?? 5000);
const SEED = Number(process.env.SEINE_FUZZ_SEED ?? 20_260_101);
const QUARTERS = 4;
const LANES = 4;
/** A request that takes longer hangs. */
const HANG_MS = 120_000;

const agent = new Agent({ keepAlive: true });
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({
    index: folder.path('fuzz.seine'),
    scoreCache: { bytes: 1 << 20 },
    // To make up a very large request can take a client many seconds, in which it sends nothing.
    headersTimeoutMs: HANG_MS,
    requestTimeoutMs: HANG_MS,
  });
});
afterAll(async () => {
  agent.destroy();
});
const folder = freshFolder();

function send({ method, path, headers, body }: FuzzRequest): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length: Record<string, number> =
      body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request(
      server.url + path,
      { method, agent, timeout: HANG_MS, headers: { ...headers, ...length } },
      (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      },
    );
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${HANG_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

/** The message and the code, where the dialect has one, of an error in its dialect's shape. */
function errorOf(path: string, status: number, body: Json): { message: unknown; code?: unknown } {
  // What is no URL, or too long for one, has no route, and so no dialect.
  if (path.includes('%zz') || status === 431) return body.error;
  if (path.startsWith('/openai/')) {
    expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
    return body.error;
  }
  if (path.startsWith('/cohere/')) return { message: body.message };
  if (path.startsWith('/jina/')) return { message: body.detail };
  if (path.startsWith('/tei/')) return { message: body.error };
  expect(body.error.requestId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  return body.error;
}

const ALLOWED = [400, 403, 404, 405, 409, 413, 415, 422, 429, 431];
const counts: Record<string, number> = {};

async function check(sent: FuzzRequest): Promise<void> {
  const { status, text } = await send(sent);
  const group = `${sent.route} ${status}`;
  counts[group] = (counts[group] ?? 0) + 1;
  if (status < 400) return;
  const { code, message } = errorOf(sent.path, status, JSON.parse(text));
  const known = { status, code, message };
  expect(known.message).toEqual(expect.any(String));
  if (code !== undefined && code !== null) expect(Object.keys(ERRORS)).toContain(code);
  // A deadline that a request set itself may pass.
  if (status === 503) expect(known).toMatchObject({ message: expect.stringContaining('deadline') });
  else expect([...ALLOWED, known.message]).toContain(status);
}

async function clear(): Promise<void> {
  const { body } = await ask(`${server.url}/search`, { query: 'a', k: 1000, depth: 0, retrieve: 'dense' });
  const ids = body.hits.map(({ id }: { id: string }) => id);
  if (ids.length > 0) await ask(`${server.url}/documents/delete`, { ids });
}

test(
  `${COUNT} requests made from the schemas: no failure of the server, one shape of errors, no growth`,
  async () => {
    const document = (await ask(`${server.url}/openapi.json`)).body as OpenApi;
    const arbitrary = requests(document);
    const memory: number[] = [];
    for (let quarter = 0; quarter <= QUARTERS; quarter++) {
      await clear();
      await ask(`${server.url}/documents`, DOCUMENTS);
      const { heapUsed, external } = await server.memory();
      memory.push(heapUsed + external);
      if (quarter === QUARTERS) break;
      const lane = (number: number): Promise<void> =>
        fc.assert(fc.asyncProperty(arbitrary, check), {
          numRuns: Math.ceil(COUNT / QUARTERS / LANES),
          seed: SEED + quarter * LANES + number,
        });
      await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
      expect(server.running).toBe(true);
    }
    if (process.env.SEINE_FUZZ !== undefined) console.info(counts, memory);
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    // Every route was also asked for what it can do.
    const answered = Object.keys(counts).filter((group) => / 20\d$/.test(group));
    expect(new Set(answered.map((group) => group.replace(/ \d+$/, '')))).toEqual(new Set(routes));
    // The first quarter warms up: compiled code, caches. What leaks grows with every quarter after it.
    expect(memory.at(-1)! - memory[1]!).toBeLessThan(8e6);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  60_000 + COUNT * 60,
);
