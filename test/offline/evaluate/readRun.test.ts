import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readRun } from '../../../ts/offline/evaluate/readRun.ts';
import { scratch } from './scratch.ts';

const { path, write } = scratch();

test('scores decide the order, whatever ranks and lines say; equal scores order by falling id', async () => {
  const file = write(
    'order.trec',
    'q2 Q0 z 1 1 t\nq1 Q0 a 1 0.5 t\nq1 Q0 d10 2 2.0 t\nq1 Q0 d9 3 2 t\nq1 Q0 é 4 2e0 t\nq1 Q0 b 5 -1 t\n',
  );
  const run = await readRun(file);
  expect([...run.keys()]).toEqual(['q2', 'q1']);
  expect(run.get('q1')!.map(({ id }) => id)).toEqual(['é', 'd9', 'd10', 'a', 'b']);
});

test('ids order by their bytes, as in C, where that differs from the order of UTF-16', async () => {
  const file = write(
    'bytes.trec',
    'q Q0 \uff5e 1 1 t\nq Q0 \u{1f600} 1 1 t\nq Q0 a\u{1f600} 1 1 t\nq Q0 a 1 1 t\n',
  );
  const ids = (await readRun(file)).get('q')!.map(({ id }) => id);
  expect(ids).toEqual([...ids].sort((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a))));
  expect(ids[0]).toBe('\u{1f600}');
});

test('permuting the lines of a run changes nothing', async () => {
  const lines = fc.uniqueArray(
    fc.record({ id: fc.constantFrom(...'abcdefgh'), score: fc.integer({ max: 2, min: 0 }) }),
    {
      selector: ({ id }) => id,
      minLength: 2,
    },
  );
  const permuted = lines.chain((of) =>
    fc.tuple(fc.constant(of), fc.shuffledSubarray(of, { minLength: of.length, maxLength: of.length })),
  );
  await fc.assert(
    fc.asyncProperty(permuted, async ([one, other]) => {
      const text = (of: typeof one): string =>
        of.map(({ id, score }) => `q Q0 ${id} 0 ${score} t\n`).join('');
      expect(await readRun(write('a.trec', text(one)))).toEqual(await readRun(write('b.trec', text(other))));
    }),
    { numRuns: 30 },
  );
});

test('tabs, runs of spaces, CRLF, a byte order mark, blank lines and a missing last break are read', async () => {
  const file = write(
    'mixed.trec',
    '\ufeffq1\tQ0\td1\t1\t3.5\ttag\r\n\r\n  q1  Q0 d2   2 3.25 tag \r\nq1 Q0 d3 3 -inf t',
  );
  expect((await readRun(file)).get('q1')).toEqual([
    { id: 'd1', score: 3.5 },
    { id: 'd2', score: 3.25 },
    { id: 'd3', score: Number.NEGATIVE_INFINITY },
  ]);
});

test('between tabs, ids may hold spaces', async () => {
  const run = await readRun(write('spaces.trec', 'my query\tQ0\ta document\t1\t1\tt\n'));
  expect(run.get('my query')).toEqual([{ id: 'a document', score: 1 }]);
});

test('lines across the chunks of a stream are whole', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `q${i % 7} Q0 dokument-ä-${i} ${i} ${-i} t`);
  const run = await readRun(write('long.trec', lines.join('\n')));
  expect([...run.values()].reduce((sum, entries) => sum + entries.length, 0)).toBe(20_000);
  expect(run.get('q3')![1]).toEqual({ id: 'dokument-ä-10', score: -10 });
});

test.each([
  ['five fields', 'q Q0 d 1 2.0\n', 'line 1'],
  ['seven fields', 'q Q0 d 1 2.0 t x\n', 'line 1'],
  ['no number', 'q Q0 a 1 1 t\nq Q0 b 2 high t\n', 'line 2'],
  ['NaN', 'q Q0 a 1 nan t\n', 'line 1'],
  ['hexadecimal', 'q Q0 a 1 0x10 t\n', 'line 1'],
  ['a comma', 'q Q0 a 1 1,5 t\n', 'line 1'],
  ['a document twice', 'q Q0 a 1 2 t\np Q0 a 1 2 t\n\nq Q0 a 2 1 t\n', 'line 4'],
  ['other bytes', Buffer.from([113, 32, 255, 254, 10]), 'line 1'],
  ['UTF-16', Buffer.from('\ufeffq Q0 a 1 2 t\n', 'utf16le'), 'line 1'],
  ['nothing', '\n \n', 'empty'],
])('%s: refused with the line', async (_, content, place) => {
  await expect(readRun(write('bad.trec', content))).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(place),
  });
});

test('an endless line is refused, not taken into memory', async () => {
  const file = write('endless.trec', Buffer.alloc(17 * 2 ** 20, 'x'));
  await expect(readRun(file)).rejects.toMatchObject({ code: 'ERR_DATA' });
});

test('a file that is not there, or a folder, is named', async () => {
  await expect(readRun(path('none.trec'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  await expect(readRun(path('.'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});
