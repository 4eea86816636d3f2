import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DatabaseSync } from '@photostructure/sqlite';
import { SeineError } from '../../ts/core/errors.ts';
import { random } from '../../ts/core/random.ts';
import { Store } from '../../ts/store/store.ts';
import { encoded, freshPath, Mirror, openWithModel } from './setup.ts';

async function refused(path: string, code: string, message: RegExp): Promise<void> {
  // Twice for writing: a refusal must not leave the lock behind.
  for (const readonly of [true, false, false]) {
    const before = existsSync(path) ? readFileSync(path) : undefined;
    await expect(Store.open(path, { readonly })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    if (before !== undefined) expect(readFileSync(path).equals(before)).toBe(true);
  }
}

describe('what is no index is refused and left as it is', () => {
  test('a file of another kind', async () => {
    const path = freshPath();
    writeFileSync(path, 'id,text\n1,hello\n');
    await refused(path, 'ERR_CORRUPT', /not an index.*name another path/);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('a SQLite file of another program', async () => {
    const path = freshPath();
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)');
    other.close();
    await refused(path, 'ERR_CORRUPT', /not an index of Seine/);
  });

  test('a directory, and a file in a directory that is not there', async () => {
    const path = freshPath();
    mkdirSync(path);
    await expect(Store.open(path)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(Store.open(`${path}/none/x.seine`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('an index of a newer version', async () => {
    const path = freshPath();
    await (await openWithModel(path)).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await refused(path, 'ERR_VERSION', /schema version 99.*newer Seine/);
  });

  test('for a reader, one that is not there or that nobody has begun', async () => {
    const path = freshPath();
    await expect(Store.open(path, { readonly: true })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    writeFileSync(path, '');
    await expect(Store.open(path, { readonly: true })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await using store = await Store.open(path);
    expect((await store.info()).documents).toBe(0);
  });
});

describe('a damaged index', () => {
  /** Everything that can be read, as one value. */
  async function readAll(
    path: string,
  ): Promise<{ documents: Map<string, string>; rows: Map<number, string> }> {
    const store = await Store.open(path, { onWarning: () => {} });
    try {
      const documents = new Map<string, string>();
      for await (const { id, title, text, attributes } of store.iterate()) {
        documents.set(id, JSON.stringify([title, text, attributes]));
        // A damaged key may hide a document; what is shown must be right.
        expect([text, undefined]).toContain((await store.get(id))?.text);
      }
      const mirror = new Mirror();
      await mirror.follow(store);
      for (const { id, attributes } of mirror.documents.values())
        documents.set(`${id}*`, JSON.stringify(attributes));
      await store.bm25('word text 7', { limit: 1000 });
      const rows = new Map([...mirror.rows].map(([row, { vector }]) => [row, vector.join()]));
      return { documents, rows };
    } finally {
      await store.close().catch(() => {});
    }
  }

  test('never shows wrong content: with a flipped bit, what is read is an error or what was written', async () => {
    const path = freshPath();
    const store = await openWithModel(path);
    for (let i = 0; i < 60; i++) {
      const document = encoded(`d${i}`, `word${i} text `.repeat(1 + (i % 30)), i + 0.25, 2);
      await store.upsert([{ ...document, title: `title ${i}`, attributes: { n: i, s: [`m${i}`] } }]);
    }
    await store.close();
    const whole = await readAll(path);
    expect(whole.rows.size).toBe(120);
    const { below } = random(7);
    const size = readFileSync(path).length;
    let errors = 0;
    for (let round = 0; round < 60; round++) {
      const copy = `${path}.copy`;
      const bytes = readFileSync(path);
      const at = round < 20 ? below(200) : below(size);
      bytes[at]! ^= 1 << below(8);
      writeFileSync(copy, bytes);
      try {
        const found = await readAll(copy);
        for (const [id, content] of found.documents)
          expect([id, content]).toEqual([id, whole.documents.get(id)]);
        for (const [row, vector] of found.rows) expect([row, vector]).toEqual([row, whole.rows.get(row)]);
      } catch (error) {
        if (!(error instanceof SeineError)) throw error;
        expect(['ERR_CORRUPT', 'ERR_VERSION', 'ERR_DISK', 'ERR_NOT_FOUND']).toContain(error.code);
        errors++;
      }
      for (const ending of ['', '-wal', '-shm', '.lock']) rmSync(copy + ending, { force: true });
      rmSync(`${copy}.segments`, { recursive: true, force: true });
    }
    expect(errors).toBeGreaterThan(10);
  }, 300_000);

  test('that lost its end is refused with the remedy', async () => {
    const path = freshPath();
    const store = await openWithModel(path);
    await store.upsert(Array.from({ length: 200 }, (_, i) => encoded(`d${i}`, `word${i} `.repeat(50), i)));
    await store.close();
    copyFileSync(path, `${path}.cut`);
    truncateSync(`${path}.cut`, Math.floor(readFileSync(path).length / 2));
    await expect(readAll(`${path}.cut`)).rejects.toMatchObject({
      code: 'ERR_CORRUPT',
      message: expect.stringMatching(/restore a backup or ingest/i),
    });
  });

  test('that hinders only the work behind the requests is warned about', async () => {
    const path = freshPath();
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    await using store = await openWithModel(path, { onWarning });
    const other = new DatabaseSync(path);
    other.exec('DROP TABLE segments');
    other.close();
    await store.upsert([encoded('a', 'one')]);
    expect((await store.get('a'))?.text).toBe('one');
    expect((await store.bm25('one', { limit: 1 })).docs).toHaveLength(1);
    expect(warnings.join()).toMatch(/no such table: segments/);
  });
});
