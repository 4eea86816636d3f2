import { expect, test } from '@jest/globals';
import { open } from '../../ts/open.ts';
import type { SeineIndex } from '../../ts/seineIndex.ts';
import { Store } from '../../ts/store/store.ts';
import { freshPath, ids } from './setup.ts';

const crew = Array.from({ length: 40 }, (_, i) => ({
  id: `s${i}`,
  text: `Sailor number ${i} of the crew. Version 0.`,
}));

/** Replaces the crew again and again until `work` is done; no search may miss one of them meanwhile. */
async function whileReplaced(index: SeineIndex, work: () => Promise<void>): Promise<void> {
  let done = false;
  const writing = (async () => {
    for (let version = 1; !done; version++) {
      await index.upsert(
        crew.map(({ id, text }) => ({ id, text: text.replace('Version 0', `Version ${version}`) })),
      );
    }
  })();
  try {
    await work();
  } finally {
    done = true;
    await writing;
  }
}

test.each(['dense', 'bm25', 'fused'] as const)(
  '%s search finds documents that are being replaced',
  async (retrieve) => {
    await using index = await open(freshPath(), { ranker: 'none' });
    await index.upsert(crew);
    await whileReplaced(index, async () => {
      for (let i = 0; i < 15; i++) {
        const [first, second] = await index.searchMany(['sailor', 'crew'], { k: 100, retrieve });
        expect(first!.hits.length).toBe(crew.length);
        expect(second!.hits.length).toBe(crew.length);
        expect(second!.generation).toBe(first!.generation);
        const versions = first!.hits.map(({ snippet }) => snippet.replace(/^.*Version/, ''));
        expect(new Set(versions).size).toBe(1);
      }
    });
  },
);

test('a reader finds documents that the writer replaces, passages and all', async () => {
  const path = freshPath();
  await using index = await open(path, { ranker: 'none', passages: true });
  await index.upsert(crew);
  await using reader = await open(path, { ranker: 'none', readonly: true });
  await whileReplaced(index, async () => {
    for (let i = 0; i < 10; i++) {
      expect((await reader.search('sailor', { k: 100 })).hits.length).toBe(crew.length);
    }
  });
});

test('closing waits for searches under way, those of a reader too', async () => {
  const path = freshPath();
  const index = await open(path, { ranker: 'none' });
  await index.upsert(crew);
  const reader = await open(path, { ranker: 'none', readonly: true });
  const searches = [reader.search('sailor'), index.search('sailor')];
  const write = index.upsert([{ id: 'late', text: 'A stowaway.' }]);
  await Promise.all([reader.close(), index.close()]);
  for (const { hits } of await Promise.all(searches)) expect(hits.length).toBe(10);
  expect(await write).toMatchObject({ inserted: 1 });
  await expect(index.search('sailor')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
});

test('of several documents with one id the last counts, stored already or not', async () => {
  await using index = await open(freshPath(), { ranker: 'none' });
  const old = { id: 'a', text: 'The old text.' };
  await index.upsert([old]);
  await index.upsert([{ id: 'a', text: 'Another text.' }, old]);
  expect((await index.get('a'))?.text).toBe(old.text);
  expect(ids((await index.search('text')).hits)).toEqual(['a']);
});

test('what was deleted leaves the file when it is closed', async () => {
  const path = freshPath();
  const index = await open(path, { ranker: 'none' });
  await index.upsert(crew);
  await index.delete(['s0']);
  await index.close();
  await using store = await Store.open(path);
  expect(await store.purge(Number.MAX_SAFE_INTEGER)).toBe(0);
});

test.each<[string, unknown]>([
  ['a string', 'sailor'],
  ['nothing', undefined],
])('queries that are %s are refused', async (_, queries) => {
  await using index = await open(freshPath(), { ranker: 'none' });
  await expect(index.searchMany(queries as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});
