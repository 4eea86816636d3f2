import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { snippet } from '../../../ts/online/respond/snippet.ts';

const filler = 'nothing of note stands in these words '.repeat(20);

describe('snippet', () => {
  test('a short text is shown whole, with its query words marked', () => {
    const { snippet: text, highlights } = snippet(
      'An instrument that measures earthquakes.',
      'Measures EARTHQUAKES',
    );
    expect(text).toBe('An instrument that measures earthquakes.');
    expect(highlights.map(({ start, end }) => text.slice(start, end))).toEqual(['measures', 'earthquakes']);
  });

  test('a long text is cut to the stretch with most distinct query words', () => {
    const text = `${filler}seismic seismic seismic ${filler}a seismic wave meter ${filler}`;
    const cut = snippet(text, 'seismic wave meter');
    expect(cut.highlights.map(({ start, end }) => cut.snippet.slice(start, end))).toEqual([
      'seismic',
      'wave',
      'meter',
    ]);
    expect(cut.snippet.length).toBeLessThan(330);
  });

  test('without a match the head is shown', () => {
    expect(filler.startsWith(snippet(filler, 'zebra').snippet)).toBe(true);
  });

  test('any text and query: a part of the text, marks on words of the query', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.array(fc.nat(1990)), (text, cuts) => {
        const query = cuts.map((at) => text.slice(at, at + 7)).join(' ');
        const result = snippet(text, query);
        expect(text).toContain(result.snippet);
        expect(result.snippet).not.toMatch(/\p{Cs}/u); // no half of a pair
        for (const { start, end } of result.highlights) {
          expect(query.toLowerCase()).toContain(result.snippet.slice(start, end).toLowerCase());
        }
      }),
    );
  });

  test('of megabytes the head is searched', () => {
    const { snippet: text, highlights } = snippet(`${filler}a zebra ${filler.repeat(20_000)}`, 'zebra');
    expect(highlights.map(({ start, end }) => text.slice(start, end))).toEqual(['zebra']);
  });

  test('a word longer than a snippet does no harm', () => {
    const word = 'x'.repeat(1000);
    expect(snippet(`${word} y ${word}`, `${word} y`).snippet.length).toBeLessThan(330);
  });
});
