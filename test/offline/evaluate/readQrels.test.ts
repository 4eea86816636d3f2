import { expect, test } from '@jest/globals';
import { readQrels } from '../../../ts/offline/evaluate/readQrels.ts';
import { readQueries } from '../../../ts/offline/evaluate/readQueries.ts';
import { scratch } from './scratch.ts';

const { write } = scratch();

test('the grades of TREC and of BEIR are told apart by their first line', async () => {
  const expected = new Map([
    [
      'q1',
      new Map([
        ['d1', 3],
        ['d2', -1],
      ]),
    ],
    ['q2', new Map([['d1', 0]])],
  ]);
  const trec = write('trec.txt', 'q1 0 d1 3\nq2\t0\td1\t0\nq1 0  d2 -1 \n');
  expect(await readQrels(trec)).toEqual(expected);
  const beir = write(
    'beir.tsv',
    '\ufeffquery-id\tcorpus-id\tscore\r\nq1\td1\t3\r\nq2\td1\t0\r\nq1\td2\t-1\r\n',
  );
  expect(await readQrels(beir)).toEqual(expected);
});

test('in BEIR, ids may hold spaces, and 1.0 is the grade 1', async () => {
  const file = write('spaces.tsv', 'query-id\tcorpus-id\tscore\nusb hub\tdocument 1\t1.0\n');
  expect(await readQrels(file)).toEqual(new Map([['usb hub', new Map([['document 1', 1]])]]));
});

test.each([
  ['three columns without a header', 'q1\td1\t3\n', 'line 1'],
  ['three columns after four', 'q1 0 d1 3\nq1 d2 3\n', 'line 2'],
  ['a broken grade', 'q1 0 d1 3\nq1 0 d2 0.5\n', 'line 2'],
  ['a word as grade', 'q1 0 d1 good\n', 'line 1'],
  ['a grade whose gain overflows', 'q1 0 d1 1024\n', 'line 1'],
  ['no grade', 'query-id\tcorpus-id\tscore\nq1\td1\t\n', 'line 2'],
  ['a pair twice', 'q1 0 d1 3\nq1 0 d1 3\n', 'line 2'],
  ['spaces in place of tabs', 'query-id\tcorpus-id\tscore\nq1 d1 3\n', 'line 2'],
  ['a header alone', 'query-id\tcorpus-id\tscore\n', 'got none'],
])('%s: refused with the line', async (_, content, place) => {
  await expect(readQrels(write('bad.tsv', content))).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(place),
  });
});

test('queries of BEIR and tab-separated queries', async () => {
  const expected = new Map([
    ['q1', 'first query'],
    ['7', 'zweite „Frage“'],
  ]);
  const beir = write(
    'queries.jsonl',
    '{"_id":"q1","text":"first query","metadata":{}}\n{"id":7,"text":"zweite „Frage“"}\n',
  );
  expect(await readQueries(beir)).toEqual(expected);
  expect(await readQueries(write('queries.tsv', 'q1\tfirst query\n7\tzweite „Frage“\n'))).toEqual(expected);
});

test.each([
  ['broken JSON', '{"_id":"q1","text":"a"}\n{"_id":"q2"\n', 'line 2'],
  ['no text', '{"_id":"q1"}\n', 'line 1'],
  ['text that is none', '{"_id":"q1","text":5}\n', 'line 1'],
  ['an id twice', '{"_id":"q1","text":"a"}\n{"_id":"q1","text":"b"}\n', 'line 2'],
  ['no tab', 'q1 first query\n', 'line 1'],
  ['nothing', '', 'empty'],
])('queries, %s: refused with the line', async (_, content, place) => {
  await expect(readQueries(write('bad.jsonl', content))).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(place),
  });
});
