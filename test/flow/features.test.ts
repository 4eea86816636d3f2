import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { explanationText } from '../../ts/cli/explanationText.ts';
import { random } from '../../ts/core/random.ts';
import type { Document } from '../../ts/core/types.ts';
import { open, openEmbedder } from '../../ts/open.ts';
import type { SeineIndex } from '../../ts/seineIndex.ts';
import { weighingEmbedder } from '../helpers/weighingEmbedder.ts';
import { freshPath, ids } from './setup.ts';

const plain = fileURLToPath(new URL('../../models/seine-embed-small', import.meta.url));

const DAY = 86_400_000;
const NEWEST = Date.UTC(2026, 5, 1);
const weights = {
  similarity: 1.25,
  features: [
    { attribute: 'popularity', mean: 50, deviation: 30, weight: 0.2 },
    { attribute: 'posted', mean: NEWEST, deviation: 100 * DAY, weight: 0.1 },
    { attribute: 'remote', mean: 0.5, deviation: 0.5, weight: -0.05 },
  ],
};

const weighing = (content: object = weights, change?: object): string =>
  weighingEmbedder(freshPath(), content, change);

const generator = random(3);
const texts = [
  'A boat with oars.',
  'A night nurse in a ward.',
  'Cable for a radio.',
  'A school for sailors.',
];
const long = `${'The harbour has cranes and ropes. '.repeat(60)} `;
const documents: Document[] = Array.from({ length: 120 }, (_, i) => ({
  id: `d${i}`,
  text: `${i % 10 === 0 ? long : ''}${texts[i % 4]} Number ${i}.`,
  attributes: {
    ...(i % 5 > 0 && { popularity: generator.below(100) }),
    ...(i % 7 > 0 && { posted: new Date(NEWEST - generator.below(300) * DAY) }),
    remote: i % 2 === 0,
    kind: i % 3 === 0 ? 'third' : 'other',
  },
}));

/** What the attributes of a document add by the weights. */
function addendOf(attributes: Document['attributes'] = {}): number {
  return weights.features.reduce((sum, { attribute, mean, deviation, weight }) => {
    const value = attributes[attribute];
    return value === undefined || value === null ? sum : sum + (weight * (Number(value) - mean)) / deviation;
  }, 0);
}

const all = { retrieve: 'dense', k: 200, depth: 0 } as const;

/** Compares a search with the cosines of an index without weights. */
async function expectWeighted(path: string, index: SeineIndex, known: readonly Document[], filter?: object) {
  const bare = await open(path, { ranker: 'none', embedder: plain, readonly: true });
  const byId = new Map(known.map((document) => [document.id, document.attributes]));
  for (const query of ['boat', 'nurse at night', 'ropes and cranes in a harbour']) {
    const options = { ...all, ...(filter && { filter: filter as never }) };
    const [{ hits }, { hits: cosines }] = [
      await index.search(query, options),
      await bare.search(query, options),
    ];
    const cosineOf = new Map(cosines.map(({ id, score }) => [id, score]));
    expect(ids(hits).sort()).toEqual(ids(cosines).sort());
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
    for (const { id, score } of hits) {
      const wanted = weights.similarity * cosineOf.get(id)! + addendOf(byId.get(id));
      expect(Math.abs(score - wanted)).toBeLessThan(1e-5);
    }
  }
  await bare.close();
}

test.each([false, true])(
  'documents are found by similarity and weighted attributes (passages: %s)',
  async (passages) => {
    const path = freshPath();
    const options = { ranker: 'none', embedder: weighing(), passages };
    let index = await open(path, options);
    await index.upsert(documents);
    await expectWeighted(path, index, documents);
    await expectWeighted(path, index, documents, { eq: ['kind', 'third'] });

    // Written, replaced and deleted while it is open, and read anew.
    const changed = documents
      .slice(0, 30)
      .map((document) => ({ ...document, attributes: { popularity: 1000, kind: 'third' } }));
    await index.upsert([...changed, { id: 'new', text: 'A boat.', attributes: { popularity: 60 } }]);
    await index.delete(['d40', 'd41']);
    const now = [...changed, ...documents.slice(30), { id: 'new', text: '', attributes: { popularity: 60 } }];
    await expectWeighted(path, index, now);
    await index.close();
    index = await open(path, options);
    await expectWeighted(path, index, now);

    for (const id of ['d3', 'd35', 'd50', 'new']) {
      const told = await index.explain('boat', id, { retrieve: 'dense', depth: 0 });
      const { score, features } = told.retrieval!.dense!;
      const { attributes = {} } = now.find((document) => document.id === id) as Document;
      expect(features!.attributes.map(({ attribute, value }) => [attribute, value])).toEqual(
        weights.features.map(({ attribute }) => {
          const value = attributes[attribute];
          return [attribute, value === undefined ? null : Number(value)];
        }),
      );
      const sum = features!.attributes.reduce((total, { addend }) => total + addend, features!.similarity);
      expect(Math.abs(sum - score)).toBeLessThan(1e-6);
      expect(Math.abs(score - features!.similarity - addendOf(attributes))).toBeLessThan(1e-5);
      expect(explanationText(told, false)).toMatch(
        /score \S+, rank .*\n {2}\S+ from the cosine [+−] \S+ popularity \((\d+|none)\)/,
      );
    }
    await index.close();
  },
);

test('weights come with a new embedder, and go with it', async () => {
  const path = freshPath();
  const index = await open(path, { ranker: 'none' });
  await index.upsert(documents);
  const before = await index.search('boat', all);
  const { encoder, model } = await openEmbedder(weighing(weights, { copy: 1 }));
  await index.reembed(encoder, model);
  const { hits } = await index.search('boat', all);
  const cosineOf = new Map(before.hits.map(({ id, score }) => [id, score]));
  for (const { id, score } of hits) {
    const { attributes } = documents.find((document) => document.id === id)!;
    expect(Math.abs(score - weights.similarity * cosineOf.get(id)! - addendOf(attributes))).toBeLessThan(
      1e-5,
    );
  }
  const other = await openEmbedder(plain);
  await index.reembed(other.encoder, other.model);
  expect((await index.search('boat', all)).hits).toEqual(before.hits);
  await index.close();
});

test('values however large leave an index searchable', async () => {
  const path = freshPath();
  const options = { ranker: 'none', embedder: weighing() };
  const index = await open(path, options);
  const values = [Number.MAX_VALUE, -Number.MAX_VALUE, 1e40, 0];
  await index.upsert(
    values.map((popularity, i) => ({ id: `d${i}`, text: 'A boat.', attributes: { popularity } })),
  );
  const { hits } = await index.search('boat', all);
  expect(ids(hits)).toEqual(['d0', 'd2', 'd3', 'd1']);
  expect(hits[0]!.score).toBeCloseTo(2e5, -1);
  await index.close();
  const again = await open(path, options);
  expect((await again.search('boat', all)).hits).toEqual(hits);
  await again.close();
});

test('attributes that are no numbers are refused', async () => {
  const kind = { attribute: 'kind', mean: 0, deviation: 1, weight: 1 };
  const embedder = weighing({ similarity: 1, features: [kind] });
  const path = freshPath();
  const index = await open(path, { ranker: 'none' });
  await index.upsert(documents.slice(0, 3));
  const refused = {
    code: 'ERR_MODEL_MISMATCH',
    message: expect.stringContaining('weighs the attribute "kind", which should be of type number'),
  };
  const { encoder, model } = await openEmbedder(weighing({ similarity: 1, features: [kind] }, { copy: 2 }));
  await expect(index.reembed(encoder, model)).rejects.toMatchObject(refused);
  await encoder.close();
  await index.close();
  await expect(open(path, { ranker: 'none', embedder })).rejects.toMatchObject(refused);

  // A type that is fixed while the index is embedded anew.
  const late = await open(freshPath(), { ranker: 'none' });
  await late.upsert(documents.slice(0, 80).map(({ id, text }) => ({ id, text })));
  const weigher = await openEmbedder(weighing({ similarity: 1, features: [kind] }, { copy: 3 }));
  const reembedding = expect(late.reembed(weigher.encoder, weigher.model)).rejects.toMatchObject(refused);
  await late.upsert([{ id: 'late', text: 'A boat.', attributes: { kind: 'ship' } }]);
  await reembedding;
  expect((await late.search('boat', { retrieve: 'dense' })).hits.length).toBe(10);
  await weigher.encoder.close();
  await late.close();

  const empty = await open(freshPath(), { ranker: 'none', embedder });
  await expect(empty.upsert(documents.slice(0, 3))).rejects.toMatchObject({
    code: 'ERR_ATTRIBUTE_TYPE',
    message: expect.stringContaining('"kind" of the document "d0" should be a number, a date or a boolean'),
  });
  expect((await empty.info()).documents).toBe(0);
  await empty.close();
});
