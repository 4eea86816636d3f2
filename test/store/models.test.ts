import { expect, test } from '@jest/globals';
import { checkModel } from '../../ts/store/checkModel.ts';
import { Store } from '../../ts/store/store.ts';
import type { StoredDocument } from '../../ts/store/types.ts';
import { encoded, freshPath, Mirror, MODEL, openWithModel } from './setup.ts';

const OTHER = { name: 'other', hash: 'hash-other', dim: 2, maxTokens: 32, passages: false };

const entry = ({ doc, text }: StoredDocument) => ({
  doc,
  passages: [{ start: 0, end: text.length, vector: Float32Array.of(-1, doc) }],
});

test('another model is refused, with both named and the remedy', async () => {
  const path = freshPath();
  const store = await openWithModel(path);
  const info = await store.info();
  expect(() => checkModel(info, MODEL)).not.toThrow();
  for (const change of [{ hash: 'hash-x' }, { dim: 8 }]) {
    const model = { ...MODEL, name: 'theirs', ...change };
    const refused = {
      code: 'ERR_MODEL_MISMATCH',
      message: expect.stringMatching(/built with m .*theirs.*embed/),
    };
    expect(() => checkModel(info, model)).toThrow(expect.objectContaining(refused));
    await expect(store.setModel(model)).rejects.toMatchObject(refused);
  }
  await expect(store.setModel({ ...MODEL, maxTokens: 99 })).rejects.toMatchObject({
    code: 'ERR_MODEL_MISMATCH',
  });
  await store.setModel({ ...MODEL });
  await store.close();
});

test.each([{ name: '' }, { hash: '' }, { dim: 0 }, { dim: 1.5 }, { maxTokens: -1 }])(
  'a model with %j is refused',
  async (change) => {
    const store = await Store.open(freshPath());
    await expect(store.setModel({ ...MODEL, ...change })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await store.close();
  },
);

test('the index is embedded anew while the old model serves, and switches at once', async () => {
  const path = freshPath();
  const store = await openWithModel(path, { segmentRows: 50 });
  const count = 700;
  await store.upsert(Array.from({ length: count }, (_, i) => encoded(`d${i}`, `text ${i}`, i, 2)));
  const copy = new Mirror();
  await copy.follow(store);

  await expect(store.activateModel()).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await store.beginModel(OTHER);
  await expect(store.beginModel({ ...OTHER, hash: 'third' })).rejects.toMatchObject({
    code: 'ERR_MODEL_MISMATCH',
  });
  await expect(
    store.addVectors([{ doc: 1, passages: [{ start: 0, end: 1, vector: new Float32Array(3) }] }]),
  ).rejects.toMatchObject({ code: 'ERR_DIMENSION' });

  let seen = 0;
  let batch: ReturnType<typeof entry>[] = [];
  for await (const document of store.missing()) {
    batch.push(entry(document));
    seen++;
    if (seen % 50 === 0) {
      expect(await store.addVectors(batch)).toBe(50);
      expect(await store.addVectors(batch)).toBe(0);
      batch = [];
    }
    if (seen === 300) {
      await store.upsert([
        encoded('late', 'text', 5),
        encoded('d0', 'replaced', 6),
        encoded('d650', 'too', 7),
      ]);
      await store.delete(['d1', 'd651']);
    }
    if (seen === 400) {
      expect(await store.activateModel()).toMatchObject({ activated: false, missing: expect.any(Number) });
    }
  }
  await store.addVectors(batch);
  await store.upsert([encoded('last', 'text', 8)]);
  const before = await store.info();
  expect(before).toMatchObject({
    model: MODEL,
    building: OTHER,
    documents: count,
    rows: 2 * (count - 4) + 4,
  });
  await copy.follow(store);
  expect(copy.resets).toBe(1);
  expect(copy.rows.size).toBe(before.rows);

  expect(await store.activateModel()).toEqual({
    activated: false,
    missing: 1,
    generation: before.generation,
  });
  for await (const document of store.missing()) await store.addVectors([entry(document)]);
  expect(await store.activateModel()).toEqual({
    activated: true,
    missing: 0,
    generation: before.generation + 1,
  });
  await copy.follow(store);
  expect(copy).toMatchObject({ resets: 2, model: OTHER, generation: before.generation + 1 });
  expect(copy.rows.size).toBe(count);
  for (const { doc, vector } of copy.rows.values()) expect(vector).toEqual([-1, doc]);
  const after = await store.info();
  expect(after).toMatchObject({ model: OTHER, documents: count, rows: count });
  expect(after).not.toHaveProperty('building');
  await store.close();

  await using again = await Store.open(path);
  const fresh = new Mirror();
  await fresh.follow(again);
  expect(fresh.contents()).toEqual(copy.contents());
});

test('a switch while changes are read starts them anew', async () => {
  const store = await openWithModel(freshPath());
  await store.upsert(Array.from({ length: 10 }, (_, i) => encoded(`d${i}`, 'x', i)));
  await store.beginModel(OTHER);
  for await (const document of store.missing()) await store.addVectors([entry(document)]);
  const mirror = new Mirror();
  for await (const change of store.changes(0)) {
    mirror.apply(change);
    if (change.kind === 'documents' && mirror.resets === 1) await store.activateModel();
  }
  expect(mirror).toMatchObject({ resets: 2, model: OTHER, generation: await store.generation() });
  expect(mirror.rows.size).toBe(10);
  await store.close();
});

test('a model that was begun may be abandoned, or resumed after reopening', async () => {
  const path = freshPath();
  let store = await openWithModel(path);
  await store.upsert([encoded('a', 'x'), encoded('b', 'y')]);
  await store.beginModel(OTHER);
  await store.addVectors([entry((await store.get('a'))!)]);
  await store.close();
  store = await Store.open(path);
  await store.beginModel(OTHER);
  const missing: string[] = [];
  for await (const { id } of store.missing()) missing.push(id);
  expect(missing).toEqual(['b']);
  expect(await store.abandonModel()).toBe(true);
  expect(await store.abandonModel()).toBe(false);
  expect(await store.info()).not.toHaveProperty('building');
  const mirror = new Mirror();
  await mirror.follow(store);
  expect(mirror.contents()).toEqual({ a: [1], b: [1] });
  await store.close();
});

test('documents without vectors get a first model the same way', async () => {
  const store = await Store.open(freshPath());
  await store.upsert([{ id: 'a', text: 'x', passages: [] }]);
  await expect(store.setModel(MODEL)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await store.beginModel(OTHER);
  for await (const document of store.missing()) await store.addVectors([entry(document)]);
  expect(await store.activateModel()).toMatchObject({ activated: true });
  expect(await store.unchanged([{ id: 'a', text: 'x' }])).toEqual([true]);
  await store.close();
});
