import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ingest } from '../../ts/offline/ingest/ingest.ts';
import { open } from '../../ts/open.ts';
import { bulkUpsert } from '../../ts/serve/documents/bulkUpsert.ts';
import { ndjsonEntries } from '../../ts/serve/documents/entries.ts';
import { SliceSizer } from '../../ts/serve/sliceSizer.ts';
import { countTurns, mostInOneTurn } from '../helpers/countTurns.ts';
import { ask, holdSlot, type Json, startServer, startService, type TestServer } from './harness.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const stream = (server: TestServer, lines: string, headers = {}) =>
  ask(`${server.url}/documents`, undefined, {
    method: 'POST',
    body: lines,
    headers: { ...NDJSON, ...headers },
  });
const info = async (server: TestServer): Promise<Json> => (await ask(`${server.url}/info`)).body;
const line = (id: string, text = 'text', attributes = {}): string =>
  `${JSON.stringify({ id, text, attributes })}\n`;

describe('attributes', () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>('Bern', '007', 'true', '2026-03-01', '2026-03-01T10:00:00+01:00', '', null),
    fc.constantFrom<unknown>(3, -2.5, 0, true, false, ['a', 'b'], [], [1, true], { lat: 46.9, lon: 7.4 }),
  );
  const documents = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), value), {
    minLength: 1,
    maxLength: 8,
  });

  test('have the types and values that seine ingest gives them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seine-bulk-'));
    const path = join(folder, 'documents.jsonl');
    let run = 0;
    try {
      await fc.assert(
        fc.asyncProperty(documents, async (all) => {
          const lines = all.map((attributes, i) => line(`d${i}`, `text ${i}`, attributes)).join('');
          writeFileSync(path, lines);
          const index = await open(join(folder, `${run++}.seine`), { ranker: 'none', device: 'cpu' });
          const server = await startServer({ ranker: 'none' });
          try {
            // With strict it stops at the first bad line, as the server does.
            const refused = await ingest(index, [path], { strict: true }).then(
              () => false,
              () => true,
            );
            const answer = await stream(server, lines);
            expect(answer.status).toBe(refused ? 422 : 200);
            const told = await info(server);
            const { attributes, documents: count } = await index.info();
            expect([told.attributes, told.documents]).toEqual([attributes, count]);
            for await (const { id, attributes: own } of index.documents()) {
              const { body } = await ask(`${server.url}/documents/${id}`);
              expect(body.attributes).toEqual(JSON.parse(JSON.stringify(own)));
            }
          } finally {
            await server.close();
            await index.close();
          }
        }),
        { numRuns: 12 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('keep the type that the index knows, over requests', async () => {
    const server = await startServer({ ranker: 'none' });
    try {
      await stream(server, line('d1', 'a', { when: '2026-03-01', code: 'x', tags: ['a'] }));
      await stream(server, line('d2', 'b', { when: Date.UTC(2026, 3, 1), code: 7, tags: 'b' }));
      expect((await ask(`${server.url}/documents/d2`)).body.attributes).toEqual({
        when: '2026-04-01T00:00:00.000Z',
        code: '7',
        tags: ['b'],
      });
      const { status, body } = await stream(server, line('d3', 'c', { when: 'soon' }));
      expect([status, body.error.code, body.error.line]).toEqual([422, 'ERR_ATTRIBUTE_TYPE', 1]);
    } finally {
      await server.close();
    }
  });
});

/** Workloads that fit one slot. */
const ONE_SLOT = { bulk: { maxShare: 1 }, judge: { maxShare: 1 } };

const upload = (url: string) => {
  const sent = httpRequest(`${url}/documents`, { method: 'POST', headers: NDJSON });
  sent.on('error', () => {});
  return sent;
};

describe('a long stream', () => {
  test('is stored as it comes, seen by searches meanwhile, and stays when the client leaves', async () => {
    const server = await startServer({ ranker: 'none' });
    try {
      const sent = upload(server.url);
      const text = 'a word '.repeat(40);
      for (let i = 0; i < 5000; i++) sent.write(line(`left${i}`, text));
      let seen = 0;
      while (seen === 0) seen = (await info(server)).documents;
      const { body } = await ask(`${server.url}/search`, { query: 'a word', depth: 0 });
      expect(body.hits.length).toBeGreaterThan(0);
      sent.destroy();
      await new Promise((resolve) => sent.once('close', resolve)); // not by `once`, which fails at the error before it
      const { documents } = await info(server);
      expect(documents).toBeGreaterThanOrEqual(seen);
      expect((await ask(`${server.url}/documents/left0`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('is read no faster than it is stored', async () => {
    const held = await startService({ ranker: 'none', slots: 1, workloads: ONE_SLOT });
    try {
      const letGo = await holdSlot(held, 'bulk');
      const sent = upload(held.url);
      const text = 'held back '.repeat(2000);
      const limit = 200 * 2 ** 20;
      let written = 0;
      // Nothing is stored, so nothing more is read than fits the batch and the buffers on the way.
      while (written < limit) {
        const part = line(`back${written}`, text);
        written += part.length;
        if (sent.write(part)) continue;
        const waiting = new Promise<false>((resolve) => setTimeout(resolve, 1000, false));
        if (!(await Promise.race([once(sent, 'drain').then(() => true), waiting]))) break;
      }
      expect(written).toBeLessThan(limit);
      expect((await held.service.index.info()).documents).toBe(0);
      sent.destroy();
      letGo();
    } finally {
      await held.close();
    }
  });
});

test('of documents with large attributes no more than a batch is held', async () => {
  const bytes = 2 ** 16;
  let read = 0;
  async function* chunks() {
    for (let i = 0; i < 300; i++) {
      read++;
      yield Buffer.from(line(`d${i}`, 'short', { note: 'x'.repeat(bytes) }));
    }
  }
  const sizer = new SliceSizer(10 * bytes);
  const slices: number[] = [];
  const readBefore: number[] = [];
  const stored = await bulkUpsert(ndjsonEntries(chunks(), 2 ** 26), {
    info: { attributes: {}, generation: 0 },
    atomic: false,
    sizer,
    async upsert(documents) {
      readBefore.push(read - slices.reduce((sum, count) => sum + count, 0));
      slices.push(documents.length);
      expect(documents.length * bytes).toBeLessThanOrEqual(Math.max(sizer.units, 2 * bytes));
      return { inserted: documents.length, updated: 0, unchanged: 0, generation: 1, tokens: 0, truncated: 0 };
    },
  });
  expect(stored.inserted).toBe(300);
  expect(Math.max(...readBefore) * bytes).toBeLessThanOrEqual(2 ** 22 + bytes);
});

test('documents that are to be stored all or none are read with turns of the event loop in between', async () => {
  const turns = countTurns();
  const seen: number[] = [];
  function* entries() {
    for (let i = 0; i < 20_000; i++) {
      seen.push(turns.count);
      yield { place: { document: i }, bytes: 30, value: { id: `d${i}`, text: 'a' } };
    }
  }
  await bulkUpsert(entries(), {
    info: { attributes: {}, generation: 0 },
    atomic: true,
    sizer: new SliceSizer(1),
    upsert: async (documents) => {
      expect(documents).toHaveLength(20_000);
      return { inserted: 0, updated: 0, unchanged: 0, generation: 0, tokens: 0, truncated: 0 };
    },
  });
  turns.stop();
  expect(mostInOneTurn(seen)).toBeLessThanOrEqual(2048);
});

test('atomic bodies and arrays have a limit of their own, NDJSON as it comes has none', async () => {
  const server = await startServer({ ranker: 'none' });
  try {
    const text = 'x '.repeat(50_000);
    const documents = Array.from({ length: 90 }, (_, i) => ({ id: `d${i}`, text }));
    const lines = documents.map(({ id }) => line(id, text)).join('');
    const atomic = await ask(`${server.url}/documents?atomic=true`, undefined, {
      method: 'POST',
      body: lines,
      headers: NDJSON,
    });
    const array = await ask(`${server.url}/documents`, documents);
    for (const { status, body } of [atomic, array]) {
      expect([status, body.error.code]).toEqual([413, 'ERR_TOO_LARGE']);
    }
    expect((await info(server)).documents).toBe(0);
    expect((await stream(server, lines)).body.inserted).toBe(90);
  } finally {
    await server.close();
  }
});

test('a stream is refused before it begins or not at all, and told when to come again', async () => {
  // One slot, for which one may wait.
  const held = await startService({
    ranker: 'none',
    slots: 1,
    workloads: { ...ONE_SLOT, bulk: { queue: 1, maxShare: 1 } },
  });
  try {
    const letGo = await holdSlot(held, 'bulk');
    const lines = (who: string): string =>
      Array.from({ length: 1000 }, (_, i) => line(`${who}${i}`, `text ${i} `.repeat(10))).join('');
    const send = (who: string) =>
      ask(`${held.url}/documents`, undefined, { method: 'POST', body: lines(who), headers: NDJSON });
    const answers = ['a', 'b', 'c', 'd'].map(send);
    const refused = await Promise.any(
      answers.map(async (answer) => {
        const told = await answer;
        if (told.status !== 429) throw new Error('taken');
        return told;
      }),
    );
    expect(refused.body.error).toMatchObject({ code: 'ERR_OVERLOADED', stored: { inserted: 0 } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    letGo();
    const all = await Promise.all(answers);
    const taken = all.filter(({ status }) => status === 200);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.every(({ body }) => body.inserted === 1000)).toBe(true);
    for (const { status, body } of all) if (status !== 200) expect(body.error.stored.inserted).toBe(0);
    expect((await held.service.index.info()).documents).toBe(1000 * taken.length);
  } finally {
    await held.close();
  }
});
