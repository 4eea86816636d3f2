import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { ROW_BYTES } from '../../ts/store/scoreFile.ts';
import { ScoreTier } from '../../ts/store/scoreTier.ts';
import { Store } from '../../ts/store/store.ts';
import { startedWorkers } from '../helpers/startedWorkers.ts';
import { freshPath } from './setup.ts';

const keyOf = (name: string | number): string =>
  createHash('sha256').update(String(name)).digest().toString('latin1');
const entryOf = (score: number) => ({ score, truncated: score % 2 === 0, queryTruncated: score % 3 === 0 });
const MEGABYTE = 2 ** 20;
const silent = (message: string): void => {
  throw new Error(message);
};

test('entries come back as they were, also after a restart, and the kinds are apart', async () => {
  const path = freshPath();
  const first = await ScoreTier.open(path, MEGABYTE, silent);
  for (let i = 0; i < 100; i++) first.set('shared', keyOf(i), entryOf(i - 50.25));
  first.set('personal', keyOf(1), entryOf(7));
  expect((await first.get('shared', [keyOf(3)])).get(keyOf(3))).toEqual(entryOf(-47.25)); // not written yet
  await first.close();
  const second = await ScoreTier.open(path, MEGABYTE, silent);
  const keys = Array.from({ length: 101 }, (_, i) => keyOf(i));
  const found = await second.get('shared', keys);
  expect([...found]).toEqual(keys.slice(0, 100).map((key, i) => [key, entryOf(i - 50.25)]));
  expect(await second.get('personal', keys)).toEqual(new Map([[keyOf(1), entryOf(7)]]));
  expect(second.state()).toMatchObject({
    shared: { entries: 100, hits: 100, misses: 1 },
    personal: { entries: 1, hits: 1, misses: 100 },
    dropped: 0,
  });
  await second.close();
  await second.close();
  expect(await second.get('shared', keys)).toEqual(new Map());
});

test('it stays within its bytes, the oldest making room, and so does the file', async () => {
  const writes = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(writes, fc.integer({ min: 1024, max: 40_000 }), async (batches, bytes) => {
      const path = freshPath();
      const most = Math.max(1, Math.floor(bytes / 2 / ROW_BYTES));
      let next = 0;
      for (const batch of batches) {
        const tier = await ScoreTier.open(path, bytes, silent);
        for (let i = 0; i < batch; i++) tier.set('shared', keyOf(next), entryOf(next++));
        await tier.close();
        const { entries, bytes: taken, limit } = tier.state().shared;
        expect(entries).toBe(Math.min(next, most));
        expect(taken).toBeLessThanOrEqual(limit);
      }
      const tier = await ScoreTier.open(path, bytes, silent);
      const found = await tier.get(
        'shared',
        Array.from({ length: next }, (_, i) => keyOf(i)),
      );
      await tier.close();
      const newest = Array.from({ length: Math.min(next, most) }, (_, i) => next - Math.min(next, most) + i);
      expect([...found.values()]).toEqual(newest.map(entryOf));
    }),
    { numRuns: 15 },
  );
});

test('an entry takes the bytes that are counted for it', async () => {
  const path = freshPath();
  const entries = 50_000;
  for (let start = 0; start < entries; start += 10_000) {
    const tier = await ScoreTier.open(path, 100 * MEGABYTE, silent);
    for (let i = start; i < start + 10_000; i++) tier.set('shared', keyOf(i), entryOf(i));
    await tier.close();
  }
  const { size } = statSync(path);
  expect(size / entries / ROW_BYTES).toBeGreaterThan(0.6);
  expect(size / entries / ROW_BYTES).toBeLessThan(1.1);
});

test('a damaged file is put aside with a warning and begun anew', async () => {
  const path = freshPath();
  const tier = await ScoreTier.open(path, MEGABYTE, silent);
  for (let i = 0; i < 2000; i++) tier.set('shared', keyOf(i), entryOf(i));
  await tier.close();
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096); // the header stays, so that it is known for one of scores
  writeFileSync(path, bytes);
  const warnings: string[] = [];
  const again = await ScoreTier.open(path, MEGABYTE, (message) => warnings.push(message));
  await again.get('shared', [keyOf(1)]); // where the damage does not show on opening, it does here
  again.set('shared', keyOf(1), entryOf(5));
  await again.close();
  expect(warnings.join()).toMatch(/is damaged: it was put aside as .*\.damaged-\d+ and begun anew/);
  const aside = readdirSync(dirname(path)).find((name) => name.startsWith(`${basename(path)}.damaged-`));
  expect(aside).toBeDefined();
  const third = await ScoreTier.open(path, MEGABYTE, silent);
  expect(await third.get('shared', [keyOf(1), keyOf(2)])).toEqual(new Map([[keyOf(1), entryOf(5)]]));
  await third.close();
});

test('a file that is damaged in use and cannot be put aside costs what it held, and nothing else', async () => {
  const path = freshPath();
  const keys = Array.from({ length: 60_000 }, (_, i) => keyOf(i));
  for (let start = 0; start < keys.length; start += 20_000) {
    const tier = await ScoreTier.open(path, 100 * MEGABYTE, silent);
    for (let i = start; i < start + 20_000; i++) tier.set('shared', keys[i]!, entryOf(i));
    await tier.close();
  }
  const warnings: string[] = [];
  const tier = await ScoreTier.open(path, 100 * MEGABYTE, (message) => warnings.push(message));
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(statSync(path).size - 4096, 0xa5), 0, undefined, 4096);
  closeSync(file);
  rmSync(path); // there is nothing to put aside any more
  expect((await tier.get('shared', keys)).size).toBe(0);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/ Searches go on without the scores that it would keep\.$/);
  expect(warnings[0]).not.toMatch(/index|backup|ingest/);
  expect((await tier.get('shared', [keyOf(1)])).size).toBe(0);
  tier.set('shared', keyOf(1), entryOf(5));
  await tier.close();
  const again = await ScoreTier.open(path, MEGABYTE, silent);
  expect(await again.get('shared', [keyOf(1)])).toEqual(new Map([[keyOf(1), entryOf(5)]]));
  await again.close();
});

test('once its thread has died nothing waits for it: reads find nothing, writes are dropped, and it closes', async () => {
  const warnings: string[] = [];
  const { started: tier, workers } = await startedWorkers(() =>
    ScoreTier.open(freshPath(), MEGABYTE, (message) => warnings.push(message)),
  );
  const asked = tier.get('shared', [keyOf(1)]);
  tier.set('shared', keyOf(2), entryOf(2));
  await workers[0]!.terminate();
  expect(await asked).toEqual(new Map());
  expect(await tier.get('shared', [keyOf(1)])).toEqual(new Map());
  tier.set('shared', keyOf(3), entryOf(3));
  await tier.close();
  expect(tier.state().dropped).toBe(2);
  expect(warnings).toEqual([
    expect.stringMatching(/^The thread of the file of scores .* has ended\. Searches go on/),
  ]);
});

test('no more than a few reads wait: the others are told at once that there is nothing, and are counted', async () => {
  const path = freshPath();
  const first = await ScoreTier.open(path, MEGABYTE, silent);
  first.set('shared', keyOf(1), entryOf(1));
  await first.close();
  const tier = await ScoreTier.open(path, MEGABYTE, silent);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => tier.get('shared', [keyOf(1), keyOf(2)])),
  );
  expect(answers.map(({ size }) => size)).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  expect(tier.state()).toMatchObject({ skipped: 12, shared: { hits: 4, misses: 4 } });
  expect((await tier.get('shared', [keyOf(1)])).size).toBe(1);
  await tier.close();
});

test('a file that is something else is refused and left alone', async () => {
  const text = freshPath();
  writeFileSync(text, 'a letter to a friend, which nobody may lose '.repeat(10));
  const index = freshPath();
  await (await Store.open(index)).close();
  for (const path of [text, index]) {
    const before = readFileSync(path);
    await expect(ScoreTier.open(path, MEGABYTE, silent)).rejects.toMatchObject({
      code: 'ERR_CORRUPT',
      message: expect.stringContaining('is another file: name another path, or remove it'),
    });
    expect(readFileSync(path)).toEqual(before);
  }
  const newer = freshPath();
  await (await ScoreTier.open(newer, MEGABYTE, silent)).close();
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 9');
  database.close();
  await expect(ScoreTier.open(newer, MEGABYTE, silent)).rejects.toMatchObject({ code: 'ERR_VERSION' });
  await expect(ScoreTier.open('/nowhere/scores', MEGABYTE, silent)).rejects.toMatchObject({
    code: 'ERR_DISK',
  });
});

test('while another process holds the file, writes are dropped and counted, reads go on, and one warning tells', async () => {
  const path = freshPath();
  const warnings: string[] = [];
  const tier = await ScoreTier.open(path, MEGABYTE, (message) => warnings.push(message));
  tier.set('shared', keyOf(1), entryOf(1));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  for (const round of [2, 3]) {
    tier.set('shared', keyOf(round), entryOf(round));
    while (tier.state().dropped < round - 1) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect([...(await tier.get('shared', [1, 2, 3].map(keyOf))).values()]).toEqual([entryOf(1)]);
  other.exec('ROLLBACK');
  other.close();
  tier.set('shared', keyOf(4), entryOf(4));
  await tier.close();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/^The file of scores .* is locked by another process/);
  expect(tier.state()).toMatchObject({ dropped: 2, shared: { entries: 2 } });
});

test('what survives SIGKILL in the middle of writing is whole', async () => {
  const path = freshPath();
  const module = fileURLToPath(new URL('../../dist/store/scoreTier.js', import.meta.url));
  const script = `
    import { createHash } from 'node:crypto';
    const { ScoreTier } = await import(process.argv[2]);
    const tier = await ScoreTier.open(process.argv[1], 2 ** 24);
    for (let i = 0; ; i++) {
      tier.set('shared', createHash('sha256').update(String(i)).digest().toString('latin1'),
        { score: i, truncated: i % 2 === 0, queryTruncated: i % 3 === 0 });
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      if (i === 5000) console.log('going');
    }`;
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path, module]);
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 100 + 40 * kill));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const tier = await ScoreTier.open(path, 2 ** 24, silent);
    const found = await tier.get(
      'shared',
      Array.from({ length: 20_000 }, (_, i) => keyOf(i)),
    );
    expect(found.size).toBeGreaterThan(0);
    for (const [key, entry] of found) {
      expect(key).toBe(keyOf(entry.score));
      expect(entry).toEqual(entryOf(entry.score));
    }
    await tier.close();
  }
});
