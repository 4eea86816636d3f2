import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { duration, type ProgressOptions, progress } from '../../ts/core/progress.ts';

let time = 0;
let stream: PassThrough & { isTTY?: boolean };
const written = () => String(stream.read() ?? '');
const start = (options: Partial<ProgressOptions> = {}) =>
  progress({ label: 'ingest', unit: 'documents', stream, now: () => time, ...options });

beforeEach(() => {
  time = 0;
  stream = new PassThrough();
});

describe('away from a terminal', () => {
  test('a line every tenth, with rate and time left', () => {
    const display = start({ total: 1000 });
    for (let done = 1; done <= 1000; done++) {
      time += 10;
      display.report(done);
    }
    display.stop();
    const lines = written().trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('ingest: 10 %, 100 documents, 100 documents/s, 9 s left');
    expect(lines[9]).toBe('ingest: 100 %, 1,000 documents, 100 documents/s');
  });

  test('without a total a line every ten seconds', () => {
    const display = start();
    for (let done = 1; done <= 25; done++) {
      time += 1000;
      display.report(done, { note: 'x' });
    }
    expect(written().trimEnd().split('\n')).toEqual([
      'ingest: 10 documents, 1.0 documents/s, x',
      'ingest: 20 documents, 1.0 documents/s, x',
    ]);
  });

  test('the rate forgets a fast start', () => {
    const display = start();
    time = 1;
    display.report(1_000_000);
    for (let i = 1; i <= 60; i++) {
      time += 1000;
      display.report(1_000_000 + i * 20);
    }
    expect(written().trimEnd().split('\n').at(-1)).toBe('ingest: 1,001,200 documents, 20 documents/s');
  });
});

test('on a terminal a bar, cleared at the end', () => {
  stream.isTTY = true;
  const display = start({ total: 4 });
  time = 1000;
  display.report(1);
  display.report(2);
  display.stop();
  display.report(3);
  const text = written();
  expect(text).toContain('ingest █');
  expect(text).toContain('50 % | 2 documents, 2.0 documents/s, 1 s left');
  expect(text).not.toContain('3 documents');
});

test('quiet shows nothing', () => {
  const display = start({ total: 2, quiet: true });
  time = 60_000;
  display.report(2);
  display.stop();
  expect(written()).toBe('');
});

test.each([
  [12.4, '12 ms'],
  [59_400, '59 s'],
  [185_000, '3 min 05 s'],
  [7_620_000, '2 h 07 min'],
])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
