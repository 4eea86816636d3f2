import { symlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { Store } from '../../ts/store/store.ts';
import { StoreClient } from '../../ts/store/storeClient.ts';
import { Child } from './child.ts';
import { encoded, freshPath, openWithModel } from './setup.ts';

const locked = (path: string) => ({ code: 'ERR_LOCKED', message: expect.stringContaining(path) });

test('a second writer is refused at once, in this process and from another, by any name of the file', async () => {
  const path = freshPath();
  const store = await openWithModel(path);
  await expect(Store.open(path)).rejects.toMatchObject(locked(path));
  symlinkSync(path, `${path}.link`);
  await expect(Store.open(`${path}.link`)).rejects.toMatchObject(locked(path));
  const child = new Child(path, 'hold');
  await expect(child.heard('open')).rejects.toThrow(/ERR_LOCKED/);
  await store.upsert([encoded('a', 'still works')]);
  await store.close();
  const next = new Child(path, 'hold');
  await next.heard('open');
  await expect(Store.open(path)).rejects.toMatchObject(locked(path));
  await next.kill();
  await using again = await Store.open(path);
  expect((await again.get('a'))?.text).toBe('still works');
});

test('another process reads and follows while this one writes', async () => {
  const path = freshPath();
  const store = await openWithModel(path);
  const first = await store.generation();
  const generation = first + 40;
  const child = new Child(path, 'follow', { generation });
  await child.heard('open');
  for (let i = 0; i < 40; i++) {
    if (i % 4 === 3) await store.delete([`d${i - 3}`]);
    else await store.upsert([encoded(`d${i}`, `text ${i}`), encoded('same', `version ${i}`)]);
  }
  const expected: string[] = [];
  for await (const { id } of store.iterate()) expected.push(id);
  expect(await child.heard('ids')).toEqual({ ids: expected.sort() });
  await child.exited;
  await store.close();
});

test('a reader sees what is committed and cannot write', async () => {
  const path = freshPath();
  const writer = await openWithModel(path);
  const reader = await Store.open(path, { readonly: true });
  const { generation } = await writer.upsert([encoded('a', 'one')]);
  expect(await reader.generation()).toBe(generation);
  expect((await reader.get('a'))?.text).toBe('one');
  await expect(reader.delete(['a'])).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining('readonly'),
  });
  await writer.close();
  expect((await reader.bm25('one', { limit: 1 })).docs).toHaveLength(1);
  await reader.close();
});

test('a process that forgets to close its store ends by itself, without harm', async () => {
  const path = freshPath();
  const child = new Child(path, 'leave');
  await child.exited;
  expect(child.errors).toBe('');
  expect(child.exitCode).toBe(0);
  expect(child.said).toEqual([{ left: true }]);
  await using store = await Store.open(path);
  expect(await store.get('left')).toBeDefined();
});

test('a process that exits in the middle of its work does so without harm', async () => {
  for (const afterMs of [0, 20, 60, 120, 180, 250]) {
    const path = freshPath();
    const child = new Child(path, 'exit', { afterMs });
    await child.exited;
    expect(child.errors).toBe('');
    expect(child.exitCode).toBe(3);
    await using store = await Store.open(path);
    const acknowledged = child.said.length * 100;
    expect((await store.info()).documents).toBeGreaterThanOrEqual(acknowledged);
  }
});

test('when its worker ends, everything that waits is rejected', async () => {
  const worker = new Worker(
    "const { parentPort } = require('worker_threads');\n" +
      "parentPort.on('message', () => { throw new Error('out of luck'); });",
    { eval: true },
  );
  const client = new StoreClient(worker, 'some.seine', () => {});
  const calls = [client.call('generation', undefined), client.call('info', undefined)];
  for (const call of calls) {
    await expect(call).rejects.toMatchObject({ code: 'ERR_INTERNAL', cause: { message: 'out of luck' } });
  }
  await expect(client.call('info', undefined)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
});
