import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Line, lines } from '../../ts/core/lines.ts';
import { chunked } from '../offline/ingest/readAll.ts';

async function read(bytes: Uint8Array, chunkBytes: number, maxBytes?: number): Promise<Line[]> {
  const found: Line[] = [];
  for await (const line of lines(chunked(bytes, chunkBytes), maxBytes)) found.push(line);
  return found;
}

test('any text comes out line by line, however it is cut', async () => {
  const parts = fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '')));
  await fc.assert(
    fc.asyncProperty(
      parts,
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 9 }),
      async (texts, end, size) => {
        const found = await read(Buffer.from(texts.map((text) => text + end).join('')), size);
        expect(found.map(({ text }) => text)).toEqual(texts);
        expect(found.map(({ line }) => line)).toEqual(texts.map((_, i) => i + 1));
        expect(found.every(({ error }) => error === undefined)).toBe(true);
      },
    ),
  );
});

test('a last line without a line break counts', async () => {
  expect(await read(Buffer.from('a\nb'), 2)).toMatchObject([{ text: 'a' }, { line: 2, text: 'b' }]);
});

test('a line that is not UTF-8 is an error, and those around it are not', async () => {
  const bytes = Buffer.concat([Buffer.from('ä\n'), Buffer.from([0x61, 0xff, 0x0a]), Buffer.from('ö\n')]);
  expect(await read(bytes, 1)).toMatchObject([
    { line: 1, text: 'ä', error: undefined },
    { line: 2, error: 'is not valid UTF-8' },
    { line: 3, text: 'ö', error: undefined },
  ]);
});

test('a line that is too long is dropped and counted, and the next one is read', async () => {
  expect(await read(Buffer.from(`${'x'.repeat(100)}\nshort\n${'y'.repeat(11)}`), 8, 10)).toEqual([
    { line: 1, text: '', bytes: 100, error: 'is 100 bytes long; at most 10 are accepted' },
    { line: 2, text: 'short', bytes: 5, error: undefined },
    { line: 3, text: '', bytes: 11, error: 'is 11 bytes long; at most 10 are accepted' },
  ]);
});
