import { expect, test } from '@jest/globals';
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
  [{ bytes: 2048, size: 3 }, /no option "size"; there are: bytes/],
])('the settings %j are refused', async (scoreCache, message) => {
  const options = { scoreCache } as unknown as OpenOptions;
  await expect(open(freshPath(), options)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringMatching(message),
  });
});
