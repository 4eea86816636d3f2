import { expect, test } from '@jest/globals';
import { type Line, readLines } from '../../ts/core/readLines.ts';
import { scratch } from '../offline/evaluate/scratch.ts';

const { path, write } = scratch();

async function read(file: string): Promise<Line[]> {
  const found: Line[] = [];
  for await (const line of readLines(file)) found.push(line);
  return found;
}

test('lines keep their numbers where blank ones, a byte order mark and CR are dropped', async () => {
  const file = write('plain.txt', '\ufeffa\r\n\n \t\r\n\ufeffb\nc');
  expect(await read(file)).toEqual([
    { place: `${file}, line 1`, text: 'a' },
    { place: `${file}, line 4`, text: '\ufeffb' },
    { place: `${file}, line 5`, text: 'c' },
  ]);
});

test('a line that is not UTF-8 is named', async () => {
  const file = write('latin1.txt', Buffer.from('a\n\xe9\n', 'latin1'));
  await expect(read(file)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(`${file}, line 2 is not valid UTF-8`),
  });
});

test('a line may be 16 MiB long and no longer', async () => {
  const longest = Buffer.alloc(2 ** 24, 'x');
  expect((await read(write('long.txt', longest)))[0]!.text).toHaveLength(2 ** 24);
  const file = write('tooLong.txt', Buffer.concat([Buffer.from('a\n'), longest, Buffer.from('x\n')]));
  await expect(read(file)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining(`${file}, line 2 is 16777217 bytes long`),
  });
});

test('a file that is not there is named', async () => {
  await expect(read(path('none.txt'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});
