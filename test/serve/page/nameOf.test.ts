import { describe, expect, test } from '@jest/globals';
import { nameOf } from '../../../ts/serve/page/nameOf.ts';

const hit = { id: 'job-1', rank: 1, score: 1, scores: {}, highlights: [], attributes: {} };

describe('the name of a hit', () => {
  test('is the title', () => {
    expect(nameOf({ ...hit, title: ' Night nurse ', snippet: 'Care for patients.' })).toBe('Night nurse');
  });

  test('is how the passage begins where the title has nothing to be seen, then the id', () => {
    for (const title of [undefined, '', ' \n', '\u00a0', '\u200b', '\u202e\u2066']) {
      const titled = { ...hit, ...(title !== undefined && { title }) };
      expect(nameOf({ ...titled, snippet: 'Care for patients.' })).toBe('Care for patients.');
      expect(nameOf({ ...titled, snippet: ' ' })).toBe('job-1');
    }
  });

  test('is cut between characters', () => {
    for (const start of ['', 'x']) {
      const name = nameOf({ ...hit, title: start + '😀'.repeat(200), snippet: '' });
      expect(name).toMatch(/^x?(?:😀)+…$/u);
      expect(name.length).toBeLessThanOrEqual(161);
    }
  });
});
