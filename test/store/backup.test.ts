import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Store } from '../../ts/store/store.ts';
import { encoded, freshPath, Mirror, openWithModel } from './setup.ts';

async function contentsOf(
  path: string,
): Promise<{ generation: number; contents: object; documents: number }> {
  const onWarning = (message: string): void => {
    throw new Error(message);
  };
  await using store = await Store.open(path, { onWarning });
  const mirror = new Mirror();
  await mirror.follow(store);
  const { documents } = await store.info();
  return { generation: mirror.generation, contents: mirror.contents(), documents };
}

test('a backup made while writes go on is one whole generation, and usable as an index', async () => {
  const path = freshPath();
  const target = freshPath();
  const store = await openWithModel(path, { segmentRows: 100 });
  const filler = 'filler '.repeat(500);
  await store.upsert(Array.from({ length: 1500 }, (_, i) => encoded(`d${i}`, filler + i, i)));
  const base = await store.generation();
  let done = false;
  const backup = store.backup(target).finally(() => {
    done = true;
  });
  let writes = 0;
  // Every write keeps one document of a pair and replaces the other: half of it must never be seen.
  while (!done || writes < 5) {
    await store.upsert([encoded('left', `l${writes}`, writes), encoded('right', `r${writes}`, writes)]);
    writes++;
  }
  await backup;
  const copy = await contentsOf(target);
  expect(copy.generation).toBeGreaterThanOrEqual(base);
  expect(copy.generation).toBeLessThanOrEqual(base + writes);
  const { left, right } = copy.contents as Record<string, number[]>;
  expect(left).toEqual(right);
  expect(copy.documents).toBe(Object.keys(copy.contents).length);
  expect(left).toEqual(copy.generation === base ? undefined : [copy.generation - base - 1]);

  await using restored = await Store.open(target);
  await restored.upsert([encoded('new', 'after it')]);
  expect((await restored.bm25('after', { limit: 1 })).docs).toHaveLength(1);
  await store.close();
});

test('replaces an earlier backup, and leaves nothing else behind', async () => {
  const path = freshPath();
  const target = join(dirname(path), 'backups', 'copy.seine');
  mkdirSync(dirname(target));
  const store = await openWithModel(path);
  await store.upsert([encoded('a', 'one')]);
  await store.backup(target);
  await store.upsert([encoded('b', 'two')]);
  await store.backup(target);
  expect(readdirSync(dirname(target))).toEqual(['copy.seine']);
  expect((await contentsOf(target)).contents).toEqual({ a: [1], b: [1] });
  await store.close();
});

test('does not overwrite the index itself, nor one in use, and needs a directory', async () => {
  const path = freshPath();
  const store = await openWithModel(path);
  await store.upsert([encoded('a', 'one')]);
  symlinkSync(path, `${path}.link`);
  const busy = freshPath();
  const other = await openWithModel(busy);
  const directory = freshPath();
  mkdirSync(directory);
  for (const target of [path, `${path}.link`, busy, directory]) {
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  }
  await expect(store.backup(`${directory}/none/x`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  const file = freshPath();
  writeFileSync(file, 'x');
  await expect(store.backup(`${file}/x`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  expect((await store.get('a'))?.text).toBe('one');
  await other.close();
  await store.close();
});

test('a backup of a reader, and one that is under way when the store is closed, are whole', async () => {
  const path = freshPath();
  const store = await openWithModel(path);
  await store.upsert(Array.from({ length: 300 }, (_, i) => encoded(`d${i}`, 'text', i)));
  const targets = [freshPath(), freshPath()] as const;
  const reader = await Store.open(path, { readonly: true });
  await reader.backup(targets[0]);
  await reader.close();
  const last = store.backup(targets[1]);
  await store.close();
  await last;
  for (const target of targets) expect((await contentsOf(target)).documents).toBe(300);
});
