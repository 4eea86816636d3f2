import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RunEntry } from '../../../ts/core/types.ts';
import { decreasingScores } from '../../../ts/offline/evaluate/decreasingScores.ts';
import { readRun } from '../../../ts/offline/evaluate/readRun.ts';
import { writeRun } from '../../../ts/offline/evaluate/writeRun.ts';
import { scratch } from './scratch.ts';

const { path, write } = scratch();

test('a run is six columns', async () => {
  await writeRun(
    path('six.trec'),
    new Map([
      [
        'q1',
        [
          { id: 'b', score: 0.1 },
          { id: 'a', score: 0.1 },
        ],
      ],
    ]),
    'mine',
  );
  const [first, second] = readFileSync(path('six.trec'), 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  expect(first).toEqual(['q1', 'Q0', 'b', '1', '0.100000001', 'mine']);
  expect(second!.toSpliced(4, 1)).toEqual(['q1', 'Q0', 'a', '2', 'mine']);
  expect(Math.fround(Number(second![4]))).toBeLessThan(Math.fround(0.1));
});

test('any order of any scores comes back, and falls strictly in float32 too', async () => {
  const score = fc.oneof(
    fc.double({ noNaN: true }),
    fc.float({ noNaN: true }),
    fc.constantFrom(
      0,
      -0,
      1,
      1e-45,
      -1e-45,
      1e300,
      -1e300,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ),
  );
  const entries = fc.uniqueArray(fc.record({ id: fc.stringMatching(/^[a-c\u00e9]{1,3}$/), score }), {
    selector: ({ id }) => id,
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(entries, async (list) => {
      await writeRun(path('any.trec'), new Map([['q', list]]), 't');
      const read = (await readRun(path('any.trec'))).get('q')!;
      expect(read.map(({ id }) => id)).toEqual(list.map(({ id }) => id));
      for (let i = 1; i < read.length; i++) {
        expect(Math.fround(read[i]!.score)).toBeLessThan(Math.fround(read[i - 1]!.score));
      }
    }),
    { numRuns: 100 },
  );
});

test('scores that fall already in float32 stay as they are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.float({ noNaN: true, noDefaultInfinity: true })), (floats) => {
      const sorted = [...new Set(floats.map((value) => value + 0))].sort((a, b) => b - a);
      expect([...decreasingScores(sorted)]).toEqual(sorted);
    }),
  );
});

test('the lowest scores make room at the end of the range', () => {
  const lowest = decreasingScores([
    1,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(lowest[0]).toBe(1);
  expect(lowest[3]).toBe(-3.4028234663852886e38);
  expect(lowest[1]).toBeGreaterThan(lowest[2]!);
  expect(lowest[2]).toBeGreaterThan(lowest[3]!);
});

async function* streamed(): AsyncGenerator<[string, RunEntry[]]> {
  for (const query of ['q1', 'q2', 'q3']) yield [query, query === 'q2' ? [] : [{ id: 'd', score: 1 }]];
}

test('a run may come query by query, and go to a stream that stays open', async () => {
  await writeRun(path('streamed.trec'), streamed(), 't');
  const text = 'q1 Q0 d 1 1 t\nq3 Q0 d 1 1 t\n';
  expect(readFileSync(path('streamed.trec'), 'utf8')).toBe(text);
  const parts: string[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write: (part, _, done) => {
      parts.push(String(part));
      setImmediate(done);
    },
  });
  await writeRun(stream, streamed(), 't');
  expect(parts.join('')).toBe(text);
  expect(stream.writableEnded).toBe(false);
});

test('a run that fails half-way leaves the old file', async () => {
  const file = write('kept.trec', 'old');
  async function* failing(): AsyncGenerator<[string, RunEntry[]]> {
    yield ['q1', [{ id: 'd', score: 1 }]];
    throw new Error('interrupted');
  }
  await expect(writeRun(file, failing(), 't')).rejects.toThrow('interrupted');
  expect(readFileSync(file, 'utf8')).toBe('old');
});

test.each([
  ['white space in a document id', 'q', [{ id: 'a b', score: 1 }], 't'],
  ['a line break in a document id', 'q', [{ id: 'a\nq Q0 evil 1 9 t', score: 1 }], 't'],
  ['an empty document id', 'q', [{ id: '', score: 1 }], 't'],
  ['white space in a query id', 'q 1', [{ id: 'a', score: 1 }], 't'],
  ['an empty tag', 'q', [{ id: 'a', score: 1 }], ''],
  ['NaN', 'q', [{ id: 'a', score: Number.NaN }], 't'],
  [
    'a document twice',
    'q',
    [
      { id: 'a', score: 2 },
      { id: 'a', score: 1 },
    ],
    't',
  ],
])('%s: refused', async (_, query, entries, tag) => {
  const writing = writeRun(path('refused.trec'), new Map([[query, entries]]), tag);
  await expect(writing).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

test('a folder that is not there is an error about the disk', async () => {
  const writing = writeRun(path('none/run.trec'), new Map([['q', [{ id: 'a', score: 1 }]]]), 't');
  await expect(writing).rejects.toMatchObject({ code: 'ERR_DISK' });
});
