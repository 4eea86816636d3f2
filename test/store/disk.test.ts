import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Store } from '../../ts/store/store.ts';
import { encoded, Mirror, openWithModel } from './setup.ts';

const mounted: string[] = [];

/** A file system of its own in memory; the reason, if this user may not mount one. */
function mountSmall(size: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'seine-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' });
  mounted.push(directory);
  return directory;
}

function whyNoMount(): string | undefined {
  if (process.platform !== 'linux') return `mounting needs Linux, this is ${process.platform}`;
  try {
    mountSmall('1m');
    return undefined;
  } catch (error) {
    return `a file system cannot be mounted here (${(error as Error).message.trim()})`;
  }
}

const reason = whyNoMount();
if (reason !== undefined) process.stderr.write(`Skipped: tests of full and read-only disks, ${reason}.\n`);
const describeMounted = reason === undefined ? describe : describe.skip;

afterAll(() => {
  for (const directory of mounted) {
    execFileSync('umount', ['-l', directory]);
    rmdirSync(directory);
  }
});

describeMounted('a disk that is full', () => {
  test('refuses the write, loses nothing, and the next write works once there is space', async () => {
    const directory = mountSmall('8m');
    const path = join(directory, 'x.seine');
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, new Uint8Array(4 << 20));
    const warnings: string[] = [];
    const options = { segmentRows: 20, onWarning: (message: string) => void warnings.push(message) };
    let store = await openWithModel(path, options);
    const text = 'words that take room '.repeat(2000);
    const acknowledged: string[] = [];
    let refusal: unknown;
    for (let i = 0; i < 500 && refusal === undefined; i++) {
      const writes = [`a${i}`, `b${i}`].map(async (id) => {
        await store.upsert([encoded(id, `${text}${id}`, i)]);
        acknowledged.push(id);
      });
      const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected');
      refusal = (failed as PromiseRejectedResult | undefined)?.reason;
    }
    expect(refusal).toMatchObject({
      code: 'ERR_DISK',
      message: expect.stringMatching(/full.*free some space/),
    });
    expect(acknowledged.length).toBeGreaterThan(10);
    await expect(store.upsert([encoded('more', text.repeat(20))])).rejects.toMatchObject({
      code: 'ERR_DISK',
    });
    const ids = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { id } of store.iterate()) found.push(id);
      return found;
    };
    expect(await ids()).toEqual(acknowledged);
    await expect(store.backup(join(directory, 'copy.seine'))).rejects.toMatchObject({ code: 'ERR_DISK' });
    expect(existsSync(join(directory, 'copy.seine'))).toBe(false);

    rmSync(ballast);
    await store.upsert([encoded('after', 'there is space again')]);
    await store.close();
    store = await Store.open(path, options);
    expect(await ids()).toEqual([...acknowledged, 'after']);
    const mirror = new Mirror();
    await mirror.follow(store);
    expect(mirror.rows.size).toBe(acknowledged.length + 1);
    expect((await store.bm25('space', { limit: 9 })).docs).toHaveLength(1);
    await store.close();
  });

  test('a full disk from the start: a clear error, and no half an index later', async () => {
    const directory = mountSmall('1m');
    const ballast = join(directory, 'ballast');
    expect(() => writeFileSync(ballast, new Uint8Array(2 << 20))).toThrow(/ENOSPC/);
    const path = join(directory, 'x.seine');
    await expect(Store.open(path)).rejects.toMatchObject({ code: 'ERR_DISK' });
    rmSync(ballast);
    await using store = await openWithModel(path);
    expect(await store.upsert([encoded('a', 'x')])).toMatchObject({ inserted: 1 });
  });
});

describeMounted('a disk that is read-only', () => {
  test('refuses a writer with the remedy, and lets readers read', async () => {
    const directory = mountSmall('8m');
    const path = join(directory, 'with space, 100% and #.seine');
    const store = await openWithModel(path, { segmentRows: 1 });
    await store.upsert([encoded('a', 'one')]);
    await store.close();
    execFileSync('mount', ['-o', 'remount,ro', directory]);
    await expect(Store.open(path)).rejects.toMatchObject({
      code: 'ERR_DISK',
      message: expect.stringMatching(/readonly: true/),
    });
    await expect(Store.open(join(directory, 'new.seine'))).rejects.toMatchObject({ code: 'ERR_DISK' });
    await using reader = await Store.open(path, { readonly: true });
    expect((await reader.get('a'))?.text).toBe('one');
    const mirror = new Mirror();
    await mirror.follow(reader);
    expect(mirror.contents()).toEqual({ a: [1] });
  });

  test('a file that may not be changed is refused with the remedy', async () => {
    const directory = mountSmall('8m');
    const path = join(directory, 'x.seine');
    const store = await openWithModel(path);
    await store.upsert([encoded('a', 'one')]);
    await store.close();
    execFileSync('mount', ['--bind', path, path]);
    execFileSync('mount', ['-o', 'remount,ro,bind', path]);
    try {
      await expect(Store.open(path)).rejects.toMatchObject({
        code: 'ERR_DISK',
        message: expect.stringMatching(/readonly: true/),
      });
      const reader = await Store.open(path, { readonly: true });
      expect((await reader.get('a'))?.text).toBe('one');
      await reader.close();
    } finally {
      execFileSync('umount', [path]);
    }
  });
});
