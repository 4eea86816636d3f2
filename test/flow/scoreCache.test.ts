import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type OpenOptions, open } from '../../ts/open.ts';
import { freshPath } from './setup.ts';

const searcher = { id: 'ann', version: '1', profile: 'I bake' };
const documents = ['a ship with sails', 'a kind of bread', 'a measuring instrument'].map((text, i) => ({
  id: String(i),
  text,
}));

test('an index remembers scores, shares them between search and rank, and tells what it holds', async () => {
  await using index = await open(freshPath(), { scoreCache: { bytes: 100_000 } });
  await index.upsert(documents);
  const first = await index.search('boat');
  expect([first.ranked, first.cached]).toEqual([3, 0]);
  const again = await index.search(' boat ');
  expect([again.ranked, again.cached]).toEqual([3, 3]);
  expect(again.hits).toEqual(first.hits);
  const [personal, known] = await Promise.all([
    index.search('boat', { searcher }),
    index.rank('boat', [documents[1]!, 'new']),
  ]);
  expect([personal.cached, known.cached]).toEqual([0, 1]);
  const apart = await index.rank('boat', [documents[1]!, 'new', 'newer'], { background: true });
  expect([apart.ranked, apart.cached]).toEqual([3, 0]);
  for (const [i, score] of known.scores.entries()) expect(apart.scores[i]).toBeCloseTo(score, 4);
  expect(index.cacheState()).toMatchObject({
    memory: { shared: { entries: 4, hits: 4, misses: 4 }, personal: { entries: 3, hits: 0, misses: 3 } },
    joined: { shared: 0, personal: 0 },
  });
});

test('without a cache or a ranker there is no state', async () => {
  const path = freshPath();
  for (const options of [{}, { ranker: 'none', scoreCache: { bytes: 5000 } }]) {
    await using index = await open(path, options);
    expect(index.cacheState()).toBeUndefined();
  }
});

test.each([
  [7, /scoreCache must be an object, got 7/],
  [{ bytes: 1023 }, /scoreCache.bytes must be a whole number of 1024 or more, got 1023/],
  [{ bytes: '1 MB' }, /got "1 MB"/],
  [{}, /got undefined/],
  [{ bytes: 2048, file: 7 }, /scoreCache.file must be a path, got 7/],
  [
    { bytes: 2048, file: 'x', fileBytes: 0 },
    /scoreCache.fileBytes must be a whole number of 1024 or more, got 0/,
  ],
  [{ bytes: 2048, size: 3 }, /no option "size"; there are: bytes, file, fileBytes/],
])('the settings %j are refused', async (scoreCache, message) => {
  const options = { scoreCache } as unknown as OpenOptions;
  await expect(open(freshPath(), options)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringMatching(message),
  });
});

test('scores that a file keeps are found after a restart', async () => {
  const path = freshPath();
  const scoreCache = { bytes: 100_000, file: freshPath() };
  const first = await open(path, { scoreCache });
  await first.upsert(documents);
  const { hits } = await first.search('boat');
  await first.close();
  await using second = await open(path, { scoreCache });
  const again = await second.search('boat');
  expect(again).toMatchObject({ ranked: 3, cached: 3, hits });
  expect(second.cacheState()).toMatchObject({
    memory: { shared: { entries: 3, misses: 3 } },
    file: { shared: { entries: 3, hits: 3 }, dropped: 0 },
  });
});

/** The ranker's folder with a file of the same meaning and other bytes: another model, as far as anyone can tell. */
function otherRanker(): string {
  const folder = `${freshPath()}-ranker`;
  cpSync(fileURLToPath(new URL('../../models/seine-rank-small', import.meta.url)), folder, {
    recursive: true,
  });
  const config = join(folder, 'config.json');
  writeFileSync(config, `${JSON.stringify(JSON.parse(readFileSync(config, 'utf8')))}\n\n`);
  return folder;
}

test('whatever changes, no score is stale: property', async () => {
  const rankers = ['seine-rank-small', otherRanker()];
  const words = ['ship', 'bread', 'instrument', 'sea', 'oven'];
  const text = fc
    .array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 })
    .map((list) => list.join(' '));
  const id = fc.constantFrom('0', '1', '2', '3');
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('search' as const), query: text, personal: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('upsert' as const), id, text }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('profile' as const), profile: text, bump: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), ranker: fc.nat({ max: 1 }) }) },
  );
  const bytes = fc.constantFrom(1024, 2000, 100_000);
  const steps = fc.array(step, { minLength: 5, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(steps, bytes, fc.boolean(), async (todo, size, kept) => {
      const scoreCache = { bytes: size, ...(kept && { file: freshPath(), fileBytes: 4096 }) };
      const [cached, plain] = [freshPath(), freshPath()];
      const openBoth = (ranker: string) =>
        Promise.all([
          open(cached, { ranker, scoreCache, device: 'cpu' }),
          open(plain, { ranker, device: 'cpu' }),
        ]);
      let both = await openBoth(rankers[0]!);
      let searching = searcher;
      try {
        for (const now of todo) {
          if (now.do === 'upsert') {
            for (const index of both) await index.upsert([{ id: now.id, text: now.text }]);
          } else if (now.do === 'delete') {
            for (const index of both) await index.delete([now.id]);
          } else if (now.do === 'profile') {
            const version = now.bump ? `${Number(searching.version) + 1}` : searching.version;
            searching = { ...searching, version, profile: now.profile };
          } else if (now.do === 'reopen') {
            await Promise.all(both.map((index) => index.close()));
            both = await openBoth(rankers[now.ranker]!);
          } else {
            const options = { depth: 5, ...(now.personal && { searcher: searching }) };
            const [seen, truth] = await Promise.all(both.map((index) => index.search(now.query, options)));
            expect(seen!.hits.map((hit) => hit.id)).toEqual(truth!.hits.map((hit) => hit.id));
            for (const [i, hit] of seen!.hits.entries()) {
              expect(hit.scores.ranker).toBeCloseTo(truth!.hits[i]!.scores.ranker!, 5);
            }
          }
        }
      } finally {
        await Promise.all(both.map((index) => index.close()));
      }
    }),
    { numRuns: 12 },
  );
}, 180_000);
