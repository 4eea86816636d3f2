import { expect, test } from '@jest/globals';
import type { Document } from '../../ts/core/types.ts';
import type { EncodeProgress } from '../../ts/models/encoder.ts';
import { openEmbedder } from '../../ts/open.ts';
import { Store } from '../../ts/store/store.ts';
import { upsert } from '../../ts/upsert.ts';
import { countTurns } from '../helpers/countTurns.ts';
import { freshPath } from './setup.ts';

test('many documents are embedded in slices, with turns of the event loop in between, and progress counts on', async () => {
  const count = 5000;
  const store = await Store.open(freshPath());
  const { encoder, model } = await openEmbedder('seine-embed-small');
  const turns = countTurns();
  /** By turn: the documents of which the text was read. */
  const read = new Map<number, Set<number>>();
  const documents = Array.from({ length: count }, (_, i): Document => {
    const document = { id: `d${i}`, text: '' };
    return Object.defineProperty(document, 'text', {
      enumerable: true,
      get: () => {
        read.set(turns.count, (read.get(turns.count) ?? new Set()).add(i));
        return `text ${i}`;
      },
    });
  });
  const progress: EncodeProgress[] = [];
  const result = await upsert(
    documents,
    { store, encoder, model },
    { onProgress: (done) => progress.push(done) },
  );
  turns.stop();
  expect(result).toMatchObject({ inserted: count, truncated: 0 });
  expect(progress.at(-1)).toEqual({ texts: count, tokens: result.tokens });
  expect(progress).toEqual(progress.toSorted((a, b) => a.texts - b.texts));
  // In one turn a page for the store and a slice for the model at most.
  expect(Math.max(...[...read.values()].map(({ size }) => size))).toBeLessThanOrEqual(2048 + 500);
  expect((await store.get('d4999'))?.text).toBe('text 4999');
  await encoder.close();
  await store.close();
});
