import { expect, test } from '@jest/globals';
import { open } from '../../ts/open.ts';
import { freshPath, ids } from './setup.ts';

const filler = (topic: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `Chapter ${i} speaks of ${topic} and of little else.`).join(' ');
const needle =
  'The seismograph is an instrument that records how the ground shakes. It writes down every earthquake, even far away ' +
  'ones, and how strong the earthquake was.';
const documents = [
  {
    id: 'deep',
    title: 'Almanac',
    text: `${filler('cooking soup', 120)} ${needle} ${filler('baking bread', 120)}`,
  },
  { id: 'bread', text: filler('baking bread', 200) },
  { id: 'soup', text: filler('cooking soup', 200) },
  { id: 'short', text: 'A poem about autumn leaves.' },
  { id: 'empty', text: '' },
];

test('a document is found by a sentence deep in its text, once, and shows that passage', async () => {
  await using index = await open(freshPath(), { passages: true });
  await index.upsert(documents);
  const { rows, documents: count } = await index.info();
  expect(count).toBe(documents.length);
  expect(rows).toBeGreaterThan(20);
  for (const retrieve of ['dense', 'fused'] as const) {
    const { hits } = await index.search('instrument that records an earthquake', { retrieve });
    expect(hits[0]!.id).toBe('deep');
    expect(hits[0]!.snippet).toContain('the ground shakes');
    expect(ids(hits).sort()).toEqual(['bread', 'deep', 'empty', 'short', 'soup']);
  }
});

test('a document scores as its best passage', async () => {
  await using index = await open(freshPath(), { passages: true, ranker: 'none' });
  await index.upsert(documents);
  const whole = (await index.search(needle, { retrieve: 'dense' })).hits[0]!;
  await index.upsert([{ id: 'alone', title: 'Almanac', text: needle }]);
  const { hits } = await index.search(needle, { retrieve: 'dense', k: 2 });
  expect(ids(hits)).toEqual(['alone', 'deep']);
  expect(hits[1]!.score).toBe(whole.score);
});

test('pages neither repeat nor lose a document, though passages crowd the list', async () => {
  await using index = await open(freshPath(), { passages: true, ranker: 'none' });
  // The passages of the first documents are closer to the query than any of the others.
  await index.upsert([
    ...Array.from({ length: 4 }, (_, i) => ({
      id: `long${i}`,
      text: filler(`baking bread of sort ${i}`, 150),
    })),
    ...Array.from({ length: 20 }, (_, i) => ({ id: `short${i}`, text: `Ship number ${i} at sea.` })),
  ]);
  for (const retrieve of ['dense', 'fused'] as const) {
    const all = ids((await index.search('baking bread', { k: 24, retrieve })).hits);
    const pages: string[] = [];
    for (let offset = 0; offset < 30; offset += 6) {
      pages.push(...ids((await index.search('baking bread', { k: 6, offset, retrieve })).hits));
    }
    expect(pages).toEqual(all);
    expect(new Set(all).size).toBe(24);
  }
  await index.upsert([{ id: 'b', text: filler('whales', 150), attributes: { sort: 'b' } }]);
  expect(ids((await index.search('baking bread', { filter: { eq: ['sort', 'b'] } })).hits)).toEqual(['b']);
});
