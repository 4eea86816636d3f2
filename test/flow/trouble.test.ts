import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Document } from '../../ts/core/types.ts';
import { open } from '../../ts/open.ts';
import { freshPath, ids } from './setup.ts';

const embedded = fileURLToPath(new URL('../../models', import.meta.url));

const boats = (count: number, text = 'A boat of some kind.'): Document[] =>
  Array.from({ length: count }, (_, i) => ({ id: `b${i}`, text: `${text} Number ${i}.` }));

test('the models may be deleted under way: the open index works on, the next opening names what is missing', async () => {
  const path = freshPath();
  const models = freshPath();
  cpSync(embedded, models, { recursive: true });
  const options = { embedder: join(models, 'seine-embed-small'), ranker: join(models, 'seine-rank-small') };
  const index = await open(path, options);
  await index.upsert(boats(3));
  rmSync(models, { recursive: true });
  await index.upsert([{ id: 'x', text: 'A bakery.' }]);
  expect((await index.search('bread')).hits[0]!.id).toBe('x');
  await index.close();
  await expect(open(path, options)).rejects.toMatchObject({
    code: 'ERR_MODEL',
    message: expect.stringContaining('seine-embed-small'),
  });
  await expect(open(path, { ...options, embedder: 'seine-embed-small' })).rejects.toMatchObject({
    code: 'ERR_MODEL',
    message: expect.stringContaining('seine-rank-small'),
  });
  await using again = await open(path, { embedder: 'seine-embed-small' });
  expect((await again.search('bread')).hits[0]!.id).toBe('x');
});

test('a backup made in use is an index of one moment', async () => {
  const path = freshPath();
  const copy = freshPath();
  await using index = await open(path, { ranker: 'none' });
  await index.upsert(boats(50));
  let done = false;
  const backup = index.backup(copy).finally(() => {
    done = true;
  });
  let writes = 0;
  while (!done) {
    await index.upsert([
      { id: 'left', text: `Version ${writes}.` },
      { id: 'right', text: `Version ${writes}.` },
    ]);
    expect((await index.search('boat', { k: 1 })).hits.length).toBe(1);
    writes++;
  }
  await backup;
  await using restored = await open(copy, { ranker: 'none' });
  expect((await restored.get('left'))?.text).toBe((await restored.get('right'))?.text);
  const { documents, rows } = await restored.info();
  expect((await restored.search('boat', { k: 100, retrieve: 'dense' })).hits.length).toBe(documents);
  expect(rows).toBe(documents);
  await restored.upsert([{ id: 'after', text: 'A bakery.' }]);
  expect((await restored.search('bakery', { k: 1 })).hits[0]!.id).toBe('after');
});

/** A file system of its own in memory; `undefined`, with the reason printed, if this user may not mount one. */
function mountSmall(size: string): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'seine-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' });
    return directory;
  } catch (error) {
    rmdirSync(directory);
    process.stderr.write(`Skipped: the test of a disk that fills up (${(error as Error).message.trim()}).\n`);
    return undefined;
  }
}

const small = mountSmall('8m');
const testSmall = small === undefined ? test.skip : test;

testSmall(
  'a disk that fills up refuses the write and loses nothing; with space again, writes go on',
  async () => {
    const directory = small!;
    try {
      const path = join(directory, 'x.seine');
      const ballast = join(directory, 'ballast');
      writeFileSync(ballast, new Uint8Array(3 << 20));
      const index = await open(path, { ranker: 'none' });
      const kept: string[] = [];
      let refusal: unknown;
      for (let i = 0; i < 100 && refusal === undefined; i++) {
        const documents = [`a${i}`, `b${i}`].map((id) => ({
          id,
          text: `Cargo ${id} of wool. `.repeat(4000),
        }));
        try {
          await index.upsert(documents);
          kept.push(...ids(documents));
        } catch (error) {
          refusal = error;
        }
      }
      expect(refusal).toMatchObject({
        code: 'ERR_DISK',
        message: expect.stringContaining('free some space'),
      });
      expect(kept.length).toBeGreaterThan(1);
      const found = async () => ids((await index.search('wool', { k: 500, retrieve: 'dense' })).hits).sort();
      expect(await found()).toEqual([...kept].sort());
      rmSync(ballast);
      await index.upsert([{ id: 'after', text: 'A bakery.' }]);
      expect((await index.search('bakery', { k: 1 })).hits[0]!.id).toBe('after');
      await index.close();
      await using again = await open(path, { ranker: 'none' });
      expect((await again.search('wool', { k: 500, retrieve: 'dense' })).hits.length).toBe(kept.length + 1);
    } finally {
      execFileSync('umount', ['-l', directory]);
      rmdirSync(directory);
    }
  },
);
