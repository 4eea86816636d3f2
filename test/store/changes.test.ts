import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Store } from '../../ts/store/store.ts';
import type { MapFile } from '../../ts/store/types.ts';
import { encoded, freshPath, Mirror, openWithModel } from './setup.ts';

const mapFile: MapFile = (path, offset, length) => {
  const bytes = new Uint8Array(length);
  bytes.set(readFileSync(path).subarray(offset, offset + length));
  return bytes.buffer;
};

const id = fc.integer({ min: 0, max: 12 }).map((n) => `d${n}`);
const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      upsert: fc.array(fc.tuple(id, fc.integer({ min: 0, max: 9 })), { maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ delete: fc.array(id, { maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.constant('follow' as const) },
  { weight: 1, arbitrary: fc.constant('purge' as const) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
);

describe('changes', () => {
  test('a copy that follows now and then, and one made anew, equal a plain map', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), fc.boolean(), async (commands, mapped) => {
        const path = freshPath();
        const options = { segmentRows: 7, ...(mapped ? { mapFile } : {}), onWarning: fail };
        let store = await openWithModel(path, options);
        const plain = new Map<string, number[]>();
        const follower = new Mirror();
        for (const step of commands) {
          if (step === 'follow') await follower.follow(store);
          else if (step === 'purge') await store.purge(await store.generation());
          else if (step === 'reopen') {
            await store.close();
            store = await Store.open(path, options);
          } else if ('delete' in step) {
            await store.delete(step.delete);
            for (const name of step.delete) plain.delete(name);
          } else {
            await store.upsert(step.upsert.map(([name, v]) => encoded(name, `text ${v}`, v, 1 + (v % 3))));
            for (const [name, v] of step.upsert) {
              plain.set(
                name,
                Array.from({ length: 1 + (v % 3) }, (_, i) => v + i / 8),
              );
            }
          }
        }
        const expected = Object.fromEntries([...plain].sort(([a], [b]) => (a < b ? -1 : 1)));
        await follower.follow(store);
        expect(follower.contents()).toEqual(expected);
        const fresh = new Mirror();
        await fresh.follow(store);
        expect(fresh.contents()).toEqual(expected);
        expect(fresh.generation).toBe(follower.generation);
        const info = await store.info();
        expect(info.documents).toBe(plain.size);
        expect(info.rows).toBe(fresh.rows.size);
        await store.close();
      }),
      { numRuns: 40 },
    );
  }, 300_000);

  test('tell one state although writes go on while they are read', async () => {
    const store = await openWithModel(freshPath());
    const count = 4100;
    await store.upsert(Array.from({ length: count }, (_, i) => encoded(`d${i}`, 'x', i)));
    const mirror = new Mirror();
    for await (const change of store.changes(0)) {
      mirror.apply(change);
      if (change.kind === 'reset') {
        await store.upsert([encoded('new', 'y', 7), encoded('d4000', 'changed', -1)]);
        await store.delete(['d4001']);
      }
    }
    expect(mirror.rows.size).toBe(count);
    expect(mirror.contents()).toMatchObject({ d4000: [4000], d4001: [4001] });
    expect(mirror.contents()).not.toHaveProperty('new');
    await mirror.follow(store);
    expect(mirror.resets).toBe(1);
    expect(mirror.rows.size).toBe(count);
    expect(mirror.contents()).toMatchObject({ new: [7], d4000: [-1] });
    await store.close();
  });

  test('an older copy starts anew once what was deleted since has been purged', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([encoded('a', 'x'), encoded('b', 'y')]);
    const early = new Mirror();
    await early.follow(store);
    await store.delete(['a']);
    const late = new Mirror();
    await late.follow(store);
    await store.purge(late.generation);
    for (const mirror of [early, late]) {
      const before = mirror.resets;
      await mirror.follow(store);
      expect(mirror.resets - before).toBe(mirror === early ? 1 : 0);
      expect(mirror.contents()).toEqual({ b: [1] });
    }
    await store.close();
  });

  test('of an empty index are a reset and an end', async () => {
    const store = await Store.open(freshPath());
    const mirror = new Mirror();
    await mirror.follow(store);
    expect(mirror).toMatchObject({ generation: 0, resets: 1, model: undefined });
    await store.close();
  });
});

test('a purge by the writer while a reader reads what was removed makes it start anew', async () => {
  const path = freshPath();
  await using writer = await openWithModel(path);
  const ids = Array.from({ length: 2500 }, (_, i) => `d${i}`);
  await writer.upsert([...ids, 'kept'].map((id) => encoded(id, 'x')));
  await using reader = await Store.open(path, { readonly: true });
  const mirror = new Mirror();
  await mirror.follow(reader);
  const { generation } = await writer.delete(ids);
  const changes = reader.changes(mirror.generation);
  const first = await changes.next();
  expect(first.value).toMatchObject({ kind: 'removed' });
  mirror.apply(first.value!);
  await writer.purge(generation);
  for await (const change of changes) mirror.apply(change);
  expect(mirror.resets).toBe(2);
  expect(mirror.contents()).toEqual({ kept: [1] });
});

describe('segment files', () => {
  const files = (path: string): string[] => readdirSync(`${path}.segments`);

  async function filled(path: string): Promise<void> {
    const store = await openWithModel(path, { segmentRows: 100 });
    for (let i = 0; i < 5; i++) {
      await store.upsert(Array.from({ length: 100 }, (_, j) => encoded(`d${i * 100 + j}`, 'x', i * 100 + j)));
    }
    await store.delete(['d3', 'd250']);
    await store.close();
  }

  async function contentsOf(path: string, warnings: string[], readonly = false): Promise<object> {
    const options = {
      segmentRows: 100,
      readonly,
      onWarning: (message: string) => void warnings.push(message),
    };
    await using store = await Store.open(path, options);
    const mirror = new Mirror();
    await mirror.follow(store);
    return mirror.contents();
  }

  const damages: [string, (file: string) => void][] = [
    ['missing', (file) => rmSync(file)],
    ['empty', (file) => truncateSync(file, 0)],
    ['cut', (file) => truncateSync(file, readFileSync(file).length - 1)],
    ['of a wrong magic', (file) => flip(file, 0)],
    ['with a flipped bit in its header', (file) => flip(file, 17)],
    ['with a flipped bit in its keys', (file) => flip(file, 200)],
    ['with a flipped bit in its last vector', (file) => flip(file, readFileSync(file).length - 1)],
  ];

  test.each(damages)('one that is %s is noticed, warned about once, and written anew', async (_, damage) => {
    const path = freshPath();
    await filled(path);
    const warnings: string[] = [];
    const expected = await contentsOf(path, warnings);
    expect(Object.keys(expected)).toHaveLength(498);
    expect(files(path).length).toBeGreaterThan(0);
    damage(join(`${path}.segments`, files(path)[0]!));
    expect(warnings).toEqual([]);
    expect(await contentsOf(path, warnings, true)).toEqual(expected);
    expect(warnings).toHaveLength(1);
    expect(await contentsOf(path, warnings)).toEqual(expected);
    expect(warnings).toHaveLength(2);
    expect(await contentsOf(path, warnings)).toEqual(expected);
    expect(warnings).toHaveLength(2);
    expect(files(path).length).toBeGreaterThan(0);
  });

  test('are few, cover what was appended, and nobody else lies beside them', async () => {
    const path = freshPath();
    await filled(path);
    writeFileSync(join(`${path}.segments`, 'left.tmp'), 'of a crash');
    writeFileSync(join(`${path}.segments`, '1-9-00000000.seg'), 'of another time');
    expect(Object.keys(await contentsOf(path, []))).toHaveLength(498);
    const names = files(path);
    expect(names.length).toBeLessThanOrEqual(4);
    expect(names.every((name) => /^\d+-\d+-[0-9a-f]{8}\.seg$/.test(name) && !name.startsWith('1-9-'))).toBe(
      true,
    );
  });

  test('that hold more deleted rows than others are written anew without a word', async () => {
    const path = freshPath();
    await filled(path);
    const warnings: string[] = [];
    let store = await Store.open(path, {
      segmentRows: 100,
      onWarning: (message) => void warnings.push(message),
    });
    await store.delete(Array.from({ length: 300 }, (_, i) => `d${i}`));
    await store.close();
    const bytes = (): number =>
      files(path).reduce((sum, name) => sum + statSync(join(`${path}.segments`, name)).size, 0);
    const before = bytes();
    const expected = await contentsOf(path, warnings);
    store = await Store.open(path, { segmentRows: 100 });
    await store.close();
    expect(bytes()).toBeLessThan(before);
    expect(await contentsOf(path, warnings)).toEqual(expected);
    expect(Object.keys(expected)).toHaveLength(200);
    expect(warnings).toEqual([]);
  });

  test('that cannot be written leave the index at work, with one warning', async () => {
    const path = freshPath();
    writeFileSync(`${path}.segments`, 'a file where the directory should be');
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const store = await openWithModel(path, { segmentRows: 10, onWarning });
    await store.upsert(Array.from({ length: 15 }, (_, i) => encoded(`d${i}`, 'x', i)));
    const mirror = new Mirror();
    await mirror.follow(store);
    expect(mirror.rows.size).toBe(15);
    await store.close();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/segment file could not be written/);
  });
});

function fail(message: string): void {
  throw new Error(message);
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 0x10;
  writeFileSync(file, bytes);
}
