import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type NativeAddon, native, nativeError, nativeProblem } from '../../ts/device/native.ts';

const addon = native();
if (addon === undefined) console.warn(`The addon is not tested: ${nativeProblem()?.message}`);
const folder = mkdtempSync(join(tmpdir(), 'seine-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Loose = Record<keyof NativeAddon, (...args: unknown[]) => unknown>;

(addon === undefined ? describe.skip : describe)('the addon', () => {
  const loaded = addon as NativeAddon;
  const loose = addon as unknown as Loose;
  const backend = loaded?.openCpu('', 2, true);
  const rows = loaded?.createRows(backend, 4, 0, 0);

  test('arguments of the wrong type or size throw with a code and do no harm', async () => {
    await loaded.append(rows, new Float32Array(40), new Float32Array());
    const f = (size: number) => new Float32Array(size);
    const u = (size: number) => new Uint32Array(size);
    const detached = f(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const values = [
      undefined,
      null,
      0,
      -1,
      1.5,
      Number.NaN,
      2 ** 40,
      '',
      'x',
      {},
      [],
      f(3),
      u(3),
      () => 1,
      7n,
    ];
    const names = Object.keys(loaded) as (keyof NativeAddon)[];
    for (const name of names.filter((name) => typeof loaded[name] === 'function' && name !== 'mapFile')) {
      for (const one of [...values, detached, backend, rows, Symbol('s')]) {
        for (const args of [
          [],
          [one],
          [one, one],
          [backend, one],
          [rows, one],
          [rows, one, one, one, one, one],
        ]) {
          if (name === 'disposeRows' && args[0] === rows) continue;
          try {
            // A number from `cancel` on is the number of a search that is not there.
            await loose[name](...args);
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
          }
        }
      }
    }
    const search = (...change: [number, unknown][]) => {
      const args: unknown[] = [rows, f(4), 1, 2, 10, undefined, 10, u(2), f(2)];
      for (const [index, value] of change) args[index] = value;
      return () => loose.search(...args);
    };
    const code = (code: string) => expect.objectContaining({ code });
    expect(search([1, f(5)])).toThrow(code('ERR_DIMENSION'));
    expect(search([1, detached])).toThrow(code('ERR_DIMENSION'));
    expect(search([2, 0])).toThrow(code('ERR_ARGUMENT'));
    expect(search([3, 11])).toThrow(code('ERR_ARGUMENT'));
    expect(search([5, u(2)])).toThrow(code('ERR_ARGUMENT'));
    expect(search([5, u(1)])).toThrow(code('ERR_ARGUMENT'));
    expect(search([6, 9])).toThrow(code('ERR_ARGUMENT'));
    expect(search([7, f(2)])).toThrow(code('ERR_ARGUMENT'));
    expect(search([8, f(1)])).toThrow(code('ERR_ARGUMENT'));
    for (const listed of [[], [3], [3, 3], [4, 3], [3, 10]]) {
      expect(search([6, 2], [9, Uint32Array.from(listed)])).toThrow(code('ERR_ARGUMENT'));
    }
    expect(search([5, u(1)], [6, 2], [9, Uint32Array.of(3, 9)])).toThrow(code('ERR_ARGUMENT'));
    expect(search([6, 2], [9, Uint32Array.of(3, 9)])).not.toThrow();
    const rescore = (...change: [number, unknown][]) => {
      const args: unknown[] = [rows, f(4), 1, u(2), u(2), f(2)];
      for (const [index, value] of change) args[index] = value;
      return () => loose.rescore!(...args);
    };
    expect(rescore([1, f(5)])).toThrow(code('ERR_DIMENSION'));
    expect(rescore([3, u(1)])).toThrow(code('ERR_DIMENSION'));
    expect(rescore([5, f(1)])).toThrow(code('ERR_DIMENSION'));
    expect(rescore([3, Uint32Array.of(0, 1)])).toThrow(code('ERR_ARGUMENT'));
    expect(rescore([4, Uint32Array.of(0, 10)])).toThrow(code('ERR_ARGUMENT'));
    const filter = (...change: [number, unknown][]) => {
      const args: unknown[] = [rows, Uint32Array.of(2, 0, 0, 1), u(4), u(1), 10, u(1)];
      for (const [index, value] of change) args[index] = value;
      return () => loose.filter!(...args) as [number, Promise<number>];
    };
    await loaded.writeColumn(rows, 0, 0, u(10));
    expect(filter([1, u(3)])).toThrow(code('ERR_DIMENSION'));
    expect(filter([2, u(5)])).toThrow(code('ERR_DIMENSION'));
    expect(filter([4, 33])).toThrow(code('ERR_DIMENSION'));
    expect(filter([4, 0])).toThrow(code('ERR_ARGUMENT'));
    for (const steps of [
      [],
      [2, 0, 0, 0],
      [2, 0, 1, 1],
      [2, 0, 0xffffffff, 1],
      [1, 1, 0, 0],
      [5, 0, 0, 0],
      [0, 0, 0, 0, 6, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [8, 0, 0, 0],
    ]) {
      expect(filter([1, Uint32Array.from(steps)])).toThrow(code('ERR_ARGUMENT'));
    }
    for (const steps of [
      [2, 1, 0, 1],
      [2, 0xffffffff, 0, 1],
      [3, 0, 0, 1],
    ]) {
      await expect(filter([1, Uint32Array.from(steps)])()[1]).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    }
    await expect(loaded.writeColumn(rows, 0, 11, u(1))).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    await expect(filter()()[1]).resolves.toBe(10);
    // Ends of members that lie behind them all are no harm.
    await loaded.writeColumn(rows, 2, 0, u(10).fill(0xffffffff));
    await expect(filter([1, Uint32Array.of(4, 1, 0, 1)])()[1]).resolves.toBe(0);
    const select = (n: number, k: number) => () =>
      loose.select!(backend, f(6), 2, n, k, true, u(2 * k), f(2 * k));
    expect(select(4, 1)).toThrow(code('ERR_DIMENSION'));
    expect(select(3, 4)).toThrow(code('ERR_ARGUMENT'));
    const merge =
      (...starts: number[]) =>
      () =>
        loose.merge!(backend, u(3), f(3), Uint32Array.from(starts), 1, 2, 2, true, u(2), f(2));
    for (const starts of [
      [0, 1, 2],
      [0, 3],
      [0, 4, 3],
      [1, 1, 3],
    ]) {
      expect(merge(...starts)).toThrow(code('ERR_DIMENSION'));
    }
    await expect(merge(0, 1, 3)()).resolves.toBeUndefined();
    const [, beyond] = loose.search(rows, f(4), 1, 1, 2 ** 30, undefined, 2 ** 30, u(1), f(1)) as [
      number,
      Promise<void>,
    ];
    await expect(beyond).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    expect(search()).not.toThrow();
  });

  test('a result array that was detached in mid-search is an error', async () => {
    const ids = new Uint32Array(2);
    const [, done] = loaded.search(
      rows,
      new Float32Array(4),
      1,
      2,
      10,
      undefined,
      10,
      ids,
      new Float32Array(2),
    );
    structuredClone(ids.buffer, { transfer: [ids.buffer] });
    await expect(done).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  });

  test('rows that are disposed in mid-search let it end, and are refused afterwards', async () => {
    const own = loaded.createRows(backend, 256, 2, 0);
    await loaded.append(own, new Float32Array(256 * 5000).fill(1), new Float32Array());
    const ids = new Uint32Array(3);
    const [, done] = loaded.search(
      own,
      new Float32Array(256),
      1,
      3,
      5000,
      undefined,
      5000,
      ids,
      new Float32Array(3),
    );
    loaded.disposeRows(own);
    await done;
    expect(Array.from(ids)).toEqual([0, 1, 2]);
    expect(() => loaded.bytes(own)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  test('a cancelled search settles', async () => {
    const own = loaded.createRows(backend, 64, 0, 0);
    await loaded.append(own, new Float32Array(64 * 20_000).fill(1), new Float32Array());
    const q = 100;
    const ids = new Uint32Array(q);
    const queries = new Float32Array(64 * q).fill(1);
    const [search, done] = loaded.search(
      own,
      queries,
      q,
      1,
      20_000,
      undefined,
      20_000,
      ids,
      new Float32Array(q),
    );
    loaded.cancel(search);
    await done;
    expect(Array.from(ids)).toEqual(new Array(q).fill(0));
    loaded.cancel(search);
  });

  test('finds the first number that is not finite', async () => {
    const values = new Float32Array(3 * 2 ** 20 + 5).fill(3.4e38);
    expect(await loaded.findNotFinite(rows, values)).toBe(-1);
    expect(await loaded.findNotFinite(rows, new Float32Array(0))).toBe(-1);
    for (const at of [values.length - 1, 2 ** 21, 2 ** 20 - 1, 1023, 0]) {
      values[at] = [Number.NaN, Number.NEGATIVE_INFINITY][at % 2]!;
      expect(await loaded.findNotFinite(rows, values)).toBe(at);
    }
    expect(await loaded.findNotFinite(rows, values.subarray(1))).toBe(1022);
  });

  test('maps a part of a file, and writing to it does not change the file', () => {
    const path = join(folder, 'numbers');
    const numbers = Float32Array.from({ length: 5000 }, (_, i) => i);
    writeFileSync(path, numbers);
    const mapped = new Float32Array(loaded.mapFile(path, 8, 4 * 4000));
    expect(mapped).toEqual(numbers.slice(2, 4002));
    mapped[0] = -1;
    expect(new Float32Array(loaded.mapFile(path, 8, 4))[0]).toBe(2);
    expect(new Float32Array(loaded.mapFile(path, 4096 * 3, 16))[1]).toBe(3 * 1024 + 1);
    expect(loaded.mapFile(path, 8, 0).byteLength).toBe(0);
  });

  test('a file that is missing, short or no file is an error', () => {
    const path = join(folder, 'short');
    writeFileSync(path, new Uint8Array(100));
    const code = (code: string) => expect.objectContaining({ code });
    expect(() => loaded.mapFile(join(folder, 'none'), 0, 8)).toThrow(code('ERR_NOT_FOUND'));
    expect(() => loaded.mapFile(folder, 0, 8)).toThrow(code('ERR_NOT_FOUND'));
    expect(() => loaded.mapFile(path, 96, 8)).toThrow(code('ERR_CORRUPT'));
    expect(() => loaded.mapFile(path, 2 ** 52, 2 ** 52)).toThrow(code('ERR_CORRUPT'));
    expect(() => loaded.mapFile(path, 4, 8)).toThrow(code('ERR_ARGUMENT'));
    expect(() => loaded.mapFile(`${path}\0x`, 0, 8)).toThrow(code('ERR_ARGUMENT'));
    truncateSync(path, 0);
    expect(() => loaded.mapFile(path, 0, 1)).toThrow(/has 0 bytes, but 1 from byte 0 on were expected/);
  });
});

test('an error with an unknown code is a defect', () => {
  expect(nativeError(Object.assign(new Error('x'), { code: 'ERR_CLOSED' }))).toMatchObject({
    code: 'ERR_CLOSED',
  });
  expect(nativeError(new TypeError('y'))).toMatchObject({ code: 'ERR_INTERNAL', message: 'y' });
});
