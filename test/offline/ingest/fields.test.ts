import { expect, test } from '@jest/globals';
import { fieldMapper } from '../../../ts/offline/ingest/fields.ts';

test('by default id, title and text make the document, the rest are attributes', () => {
  const map = fieldMapper({});
  const metadata = { city: 'Bern', company: { name: 'A', place: { lat: 1, lon: 2 } } };
  expect(map({ _id: 7, title: 'T', text: 'x', remote: true, metadata })).toEqual({
    id: '7',
    title: 'T',
    text: 'x',
    attributes: new Map<string, unknown>([
      ['remote', true],
      ['city', 'Bern'],
      ['company.name', 'A'],
      ['company.place', { lat: 1, lon: 2 }],
    ]),
  });
});

test('fields are mapped by name, nested ones too', () => {
  const map = fieldMapper({
    id: 'sku',
    title: 'names.long',
    text: ['a', 'b'],
    attributes: ['price', 'names'],
  });
  expect(map({ sku: 's', names: { long: 'L', short: 'S' }, a: 'x', b: 2, price: 3, other: 4 })).toEqual({
    id: 's',
    title: 'L',
    text: 'x 2',
    attributes: new Map<string, unknown>([
      ['names.short', 'S'],
      ['price', 3],
    ]),
  });
});

test('a title alone is enough, an empty text too', () => {
  expect(fieldMapper({})({ id: 'a', title: 'T' }).text).toBe('');
  expect(fieldMapper({})({ id: 'a', text: '' }).text).toBe('');
});

test.each<[RegExp, Record<string, unknown>]>([
  [/has no id: "id" or "_id" or "docno" was expected, its fields are text/, { text: 'x' }],
  [/has no id/, { id: '', text: 'x' }],
  [/has no text/, { id: 'a', body: 'x' }],
  [/must hold a string in "text", got an array of 1/, { id: 'a', text: ['x'] }],
  [/has the field "city" twice/, { id: 'a', text: 'x', city: 1, metadata: { city: 2 } }],
  [
    /nests objects more than 16 deep/,
    { id: 'a', text: 'x', deep: JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) },
  ],
])('%s', (message, record) => {
  expect(() => fieldMapper({})(record)).toThrow(message);
});
