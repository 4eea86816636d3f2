import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tinyRanker, VOCAB, weight, writeModel } from '../../models/tinyModel.ts';
import { ask, startServer, type TestServer } from '../harness.ts';
import { freshFolder } from './folder.ts';
import { PATIENT } from './patient.ts';
import { idle } from './workloads.ts';

const folder = freshFolder();
const rows = [...VOCAB.values()].map((id) => weight(id, 0));
const z = VOCAB.get('z')!;
/** In the middle of the vocabulary: letters within words (`##a`) and figures lie behind it. */
const cut = VOCAB.get('##a')!;

const BROKEN = {
  'logits of NaN where a text has the word "z"': Float32Array.from(rows, (value, id) =>
    id === z ? Number.NaN : value,
  ),
  'logits of infinity where a text has the word "z"': Float32Array.from(rows, (value, id) =>
    id === z ? Number.POSITIVE_INFINITY : value,
  ),
  'a graph that fails on words of several letters': Float32Array.from(rows.slice(0, cut)),
};

describe.each(Object.entries(BROKEN))('a ranker with %s', (name, values) => {
  const bad = name.includes('graph') ? 'abc' : 'z';
  let server: TestServer;
  beforeAll(async () => {
    const ranker = writeModel(folder.path(name), tinyRanker(1, values));
    server = await startServer({ ranker, slots: 2, workloads: PATIENT });
    const documents = ['a b', 'c d', `a ${bad}`].map((text, i) => ({ id: `d${i}`, text }));
    expect((await ask(`${server.url}/documents`, documents)).status).toBe(200);
  });
  afterAll(() => server.close());

  const rank = (documents: string[]) => ask(`${server.url}/rank`, { query: 'a', documents });

  test('fails for the requests that need it, in the one shape', async () => {
    for (const path of ['/rank', '/search']) {
      const request = path === '/rank' ? { query: 'a', documents: ['b', bad] } : { query: `a ${bad}` };
      const { status, headers, body } = await ask(server.url + path, request);
      expect([path, status]).toEqual([path, 500]);
      expect(body).toEqual({
        error: {
          code: 'ERR_MODEL_OUTPUT',
          message: expect.any(String),
          requestId: headers.get('x-request-id'),
        },
      });
    }
  });

  test('works for the others, also among those that fail', async () => {
    const sent = Array.from({ length: 30 }, (_, i) => rank([`b ${'c '.repeat(i)}`, i % 2 === 0 ? 'd' : bad]));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses).toEqual(statuses.map((_, i) => (i % 2 === 0 ? 200 : 500)));
    await idle(server.url);
  });

  test('nothing of a failure is kept: slots are free, the same question fails again, depth 0 needs no ranker', async () => {
    for (let i = 0; i < 5; i++) expect((await rank(['b', bad])).status).toBe(500);
    const { status, body } = await rank(['b', 'c']);
    expect([status, body.ranked]).toEqual([200, 2]);
    expect((await ask(`${server.url}/search`, { query: `a ${bad}`, depth: 0 })).status).toBe(200);
    await idle(server.url);
  });
});
