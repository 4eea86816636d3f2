import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Json, startServer, type TestServer } from './harness.ts';

/** Connections, each of which keeps its own socket. */
const CONNECTIONS = 4;
const agents = Array.from({ length: CONNECTIONS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ ranker: 'none' });
});
afterAll(async () => {
  for (const agent of agents) agent.destroy();
  await server.close();
});

interface Asked {
  method?: string;
  path: string;
  body?: unknown;
  type?: string;
}

function over(
  connection: number,
  { method = 'POST', path, body, type = 'application/json' }: Asked,
): Promise<Json> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': type };
    const sent = httpRequest(`${server.url}${path}`, { method, agent: agents[connection], headers });
    sent.on('error', reject).on('response', async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, ...JSON.parse(text) });
    });
    sent.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** Ids of all documents that a search finds, with the version that their snippets tell. */
async function found(connection: number, filter?: object): Promise<Record<string, number>> {
  const { hits } = await over(connection, {
    path: '/search',
    body: { query: 'version', k: 100, depth: 0, filter },
  });
  return Object.fromEntries(hits.map(({ id, snippet }: Json) => [id, Number(/\d+/.exec(snippet)![0])]));
}

type Command =
  | { kind: 'upsert'; connection: number; ids: number[]; stream: boolean }
  | { kind: 'delete'; connection: number; ids: number[]; one: boolean }
  | { kind: 'get'; connection: number; id: number }
  | { kind: 'search'; connection: number; parity: number | undefined };

const connection = fc.nat({ max: CONNECTIONS - 1 });
const id = fc.nat({ max: 7 });
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant('upsert' as const), connection, ids, stream: fc.boolean() }),
  fc.record({ kind: fc.constant('delete' as const), connection, ids, one: fc.boolean() }),
  fc.record({ kind: fc.constant('get' as const), connection, id }),
  fc.record({
    kind: fc.constant('search' as const),
    connection,
    parity: fc.option(fc.nat({ max: 1 }), { nil: undefined }),
  }),
);

test('what is acknowledged on one connection is seen on all: one command after another', async () => {
  let version = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
      await over(0, { path: '/documents/delete', body: { ids: Object.keys(await found(0)) } });
      const model = new Map<string, number>();
      for (const step of commands) {
        if (step.kind === 'upsert') {
          const documents = step.ids.map((number) => {
            model.set(`d${number}`, ++version);
            return { id: `d${number}`, text: `version ${version}`, attributes: { parity: version % 2 } };
          });
          const body = step.stream ? documents.map((each) => JSON.stringify(each)).join('\n') : documents;
          const type = step.stream ? 'application/x-ndjson' : 'application/json';
          const { inserted, updated } = await over(step.connection, { path: '/documents', body, type });
          expect(inserted + updated).toBe(documents.length);
        } else if (step.kind === 'delete') {
          const known = step.ids.map((number) => `d${number}`);
          const chosen = step.one ? known.slice(0, 1) : known;
          const { deleted } = step.one
            ? await over(step.connection, { method: 'DELETE', path: `/documents/${chosen[0]}` })
            : await over(step.connection, { path: '/documents/delete', body: { ids: chosen } });
          expect(deleted).toBe(chosen.filter((each) => model.delete(each)).length);
        } else if (step.kind === 'get') {
          const got = await over(step.connection, { method: 'GET', path: `/documents/d${step.id}` });
          const expected = model.get(`d${step.id}`);
          expect(got.text).toBe(expected === undefined ? undefined : `version ${expected}`);
        } else {
          const { parity } = step;
          const filter = parity === undefined || version === 0 ? undefined : { eq: ['parity', parity] };
          const passing = [...model].filter(([, each]) => filter === undefined || each % 2 === parity);
          expect(await found(step.connection, filter)).toEqual(Object.fromEntries(passing));
        }
      }
      expect(await found(CONNECTIONS - 1)).toEqual(Object.fromEntries(model));
    }),
    { numRuns: 25 },
  );
});

test('with all connections at once, each sees its own writes at every moment, and all see all in the end', async () => {
  let version = 1e6;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(command, { maxLength: 8 }), { minLength: CONNECTIONS, maxLength: CONNECTIONS }),
      async (plans) => {
        await over(0, { path: '/documents/delete', body: { ids: Object.keys(await found(0)) } });
        // Each connection writes documents of its own, so that what must be there is known at every moment.
        const own = plans.map(() => new Map<string, number>());
        await Promise.all(
          plans.map(async (plan, who) => {
            for (const step of plan) {
              if (step.kind === 'upsert') {
                const documents = step.ids.map((number) => {
                  own[who]!.set(`w${who}-${number}`, ++version);
                  return { id: `w${who}-${number}`, text: `version ${version}` };
                });
                await over(who, { path: '/documents', body: documents });
              } else if (step.kind === 'delete') {
                const chosen = step.ids.map((number) => `w${who}-${number}`);
                for (const each of chosen) own[who]!.delete(each);
                await over(who, { path: '/documents/delete', body: { ids: chosen } });
              } else {
                const seen = await found(who);
                const mine = Object.entries(seen).filter(([each]) => each.startsWith(`w${who}-`));
                expect(Object.fromEntries(mine)).toEqual(Object.fromEntries(own[who]!));
              }
            }
          }),
        );
        expect(await found(0)).toEqual(Object.assign({}, ...own.map((map) => Object.fromEntries(map))));
      },
    ),
    { numRuns: 10 },
  );
});
