import { describe, expect, test } from '@jest/globals';
import { choose, noFilters } from '../../../ts/serve/page/filters.ts';
import { fragmentOf, readView, type View } from '../../../ts/serve/page/view.ts';

const plain: View = { query: '', filters: noFilters(), retrieve: 'fused', compare: false };

describe('the address of a view', () => {
  test('the view that the page starts with has none', () => {
    expect(fragmentOf(plain)).toBe('');
    expect(readView('')).toEqual(plain);
  });

  test('every part of a view comes back from it', () => {
    const view: View = {
      query: 'Zürich & "50 %" +1',
      filters: choose(noFilters(), 'a&b', { kind: 'values', values: ['<x>', true] }),
      retrieve: 'bm25',
      compare: true,
    };
    expect(readView(fragmentOf(view))).toEqual(view);
  });

  test('nonsense in an address is taken as if it were not there', () => {
    for (const filter of ['{', '5', 'null', '']) {
      expect(readView(`#filter=${filter}&retrieve=magic&compare=yes`)).toEqual(plain);
    }
  });
});
