import { describe, expect, test } from '@jest/globals';
import { readWordnet } from '../../scripts/wordnet.mjs';
import { readQrels } from '../../ts/offline/evaluate/readQrels.ts';
import { readQueries } from '../../ts/offline/evaluate/readQueries.ts';

const synsets = [...readWordnet()];
const queries = await readQueries('test/wordnet/queries.jsonl');
const qrels = await readQrels('test/wordnet/qrels.tsv');

const words = (text: string) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** Every run of `length` words, each joined by blanks. */
function phrases(text: string, length: number): string[] {
  const all = words(text);
  return all.slice(length - 1).map((_, i) => all.slice(i, i + length).join(' '));
}

describe('WordNet as documents', () => {
  test('has every synset once, with names, gloss and attributes', () => {
    expect(synsets).toHaveLength(117_791);
    expect(new Set(synsets.map((synset) => synset.id)).size).toBe(synsets.length);
    expect(synsets.filter(({ title, text }) => title === '' || text === '')).toEqual([]);
    expect(synsets.filter(({ title }) => /[_()]/.test(title))).toEqual([]);
    expect(new Set(synsets.map((synset) => synset.attributes?.pos))).toEqual(
      new Set(['noun', 'verb', 'adj', 'adv']),
    );
  });

  test('reads a noun, an adjective with a marker and the gloss with its examples', () => {
    expect(synsets.find((synset) => synset.id === 'n04175901')).toEqual({
      id: 'n04175901',
      title: 'seismograph',
      text:
        'a measuring instrument for detecting and measuring the intensity and direction and duration of ' +
        'movements of the ground (as an earthquake)',
      attributes: { pos: 'noun', domain: 'artifact', names: 1 },
    });
    expect(synsets.find((synset) => synset.title === 'galore')).toMatchObject({
      text: 'in great numbers; "daffodils galore"',
      attributes: { pos: 'adj', domain: 'all', names: 1 },
    });
  });
});

describe('The description queries', () => {
  test('are many, distinct, and each has a synset that is meant', () => {
    expect(queries.size).toBeGreaterThanOrEqual(150);
    expect(new Set(queries.values()).size).toBe(queries.size);
    expect(new Set(qrels.keys())).toEqual(new Set(queries.keys()));
    for (const grades of qrels.values()) expect(Math.max(...grades.values())).toBe(3);
  });

  test('are judged on synsets that exist, by grades of 0 to 3', () => {
    const ids = new Set(synsets.map((synset) => synset.id));
    for (const grades of qrels.values()) {
      expect([...grades.keys()].filter((id) => !ids.has(id))).toEqual([]);
      expect([...grades.values()].filter((grade) => ![0, 1, 2, 3].includes(grade))).toEqual([]);
    }
  });

  test('are not taken from the glosses', () => {
    const glosses = synsets.map((synset) => ` ${words(synset.text).join(' ')} `).join('|');
    expect([...queries.values()].filter((text) => glosses.includes(` ${words(text).join(' ')} `))).toEqual(
      [],
    );
    const sixes = new Set(synsets.flatMap((synset) => phrases(synset.text, 6)));
    expect(
      [...queries.values()].filter((text) => phrases(text, 6).some((phrase) => sixes.has(phrase))),
    ).toEqual([]);
  });
});
