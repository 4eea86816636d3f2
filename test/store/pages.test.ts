import { expect, test } from '@jest/globals';
import type { EncodedDocument } from '../../ts/store/types.ts';
import { countTurns, mostInOneTurn } from '../helpers/countTurns.ts';
import { encoded, freshPath, openWithModel } from './setup.ts';

const COUNT = 3210;

/** Documents that note at which turn of the event loop they are read. */
function watched(count: number, seen: number[], turns: { readonly count: number }): EncodedDocument[] {
  return Array.from({ length: count }, (_, i) => {
    const document = encoded(`d${i}`, `text ${i}`);
    return Object.defineProperty(document, 'id', {
      enumerable: true,
      get: () => {
        seen.push(turns.count);
        return `d${i}`;
      },
    });
  });
}

test('many documents are taken up in slices, with turns of the event loop in between', async () => {
  const store = await openWithModel(freshPath());
  const turns = countTurns();
  const seen: number[] = [];
  const documents = watched(COUNT, seen, turns);
  expect(await store.upsert(documents)).toMatchObject({ inserted: COUNT, generation: 2 });
  expect(mostInOneTurn(seen)).toBeLessThanOrEqual(500);
  seen.length = 0;
  expect(await store.unchanged(documents)).toEqual(Array(COUNT).fill(true));
  expect(mostInOneTurn(seen)).toBeLessThanOrEqual(500);
  turns.stop();
  await store.close();
});

test('yet all of them are stored or none, and of several with one id the last counts', async () => {
  const store = await openWithModel(freshPath());
  const many = (count: number, text: string): EncodedDocument[] =>
    Array.from({ length: count }, (_, i) => encoded(`d${i}`, text));
  for (const bad of [
    { ...encoded('bad', 'x'), text: 3 as unknown as string }, // refused as it is packed
    { ...encoded('bad', 'x'), passages: [] }, // refused by the worker
  ]) {
    await expect(store.upsert([...many(1700, 'one'), bad])).rejects.toMatchObject({
      code: expect.stringMatching(/ERR_DATA|ERR_ARGUMENT/),
    });
    expect(await store.info()).toMatchObject({ documents: 0, generation: 1 });
  }
  expect(await store.upsert([...many(1700, 'one'), encoded('d3', 'two')])).toMatchObject({
    inserted: 1700,
    updated: 1,
  });
  expect((await store.get('d3'))?.text).toBe('two');
  // What is asked for together does not mix.
  const [first, second] = await Promise.all([
    store.upsert(many(1200, 'three')),
    store.upsert([...many(1200, 'three'), encoded('e', 'x')]),
  ]);
  expect([first.updated + second.updated, second.inserted]).toEqual([1200, 1]);
  expect(await store.info()).toMatchObject({ documents: 1701 });
  await store.close();
});
