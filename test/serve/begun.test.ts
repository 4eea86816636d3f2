import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SeineError } from '../../ts/core/errors.ts';
import { ask, startService, type TestService } from './harness.ts';

// One slot, for which one unit may wait: a job of many slices finds the queue full at every turn but the first.
let held: TestService;
beforeAll(async () => {
  const workload = { queue: 1, maxShare: 1, minShare: 0 };
  held = await startService({
    slots: 1,
    workloads: { interactive: workload, bulk: workload, judge: workload },
  });
});
afterAll(() => held.close());

/** What `job` gives while two others run short units without a pause, from its first unit on. */
async function contended<T>(workload: string, job: () => Promise<T>): Promise<T> {
  const { work } = held.service;
  let over = false;
  const before = work.state()[workload]!.admitted;
  const others = [1, 2].map(async () => {
    while (!over && work.state()[workload]!.admitted === before) await setImmediate();
    while (!over) {
      await work
        .run(workload, () => sleep(3))
        .catch(async (error: unknown) => {
          if (!(error instanceof SeineError) || error.code !== 'ERR_OVERLOADED') throw error;
          await sleep(1);
        });
    }
  });
  try {
    return await job();
  } finally {
    over = true;
    await Promise.all(others);
  }
}

const texts = Array.from({ length: 400 }, (_, i) => `Text ${i} ${'of some length '.repeat(20)}`);

test.each([undefined, 600_000])(
  'a ranking that has begun is not refused, deadline %s',
  async (deadlineMs) => {
    const documents = texts.slice(0, 100).map((text) => `${deadlineMs} ${text}`);
    const { status, body } = await contended('interactive', () =>
      ask(`${held.url}/rank`, { query: 'a text', documents, deadlineMs }),
    );
    expect([status, body.ranked]).toEqual([200, 100]);
  },
);

test('nor is embedding', async () => {
  const { status, body } = await contended('interactive', () =>
    ask(`${held.url}/openai/v1/embeddings`, { model: 'seine-embed-small', input: texts }),
  );
  expect(status).toBe(200);
  expect(body.data).toHaveLength(400);
});

test('nor is a stream of documents', async () => {
  const lines = Array.from(
    { length: 500 },
    (_, i) => `${JSON.stringify({ id: `d${i}`, text: texts[i % 400] })}\n`,
  );
  const { status, body } = await contended('bulk', () =>
    ask(`${held.url}/documents`, undefined, {
      method: 'POST',
      body: lines.join(''),
      headers: { 'content-type': 'application/x-ndjson' },
    }),
  );
  expect([status, body.inserted]).toEqual([200, 500]);
});
