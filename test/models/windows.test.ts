import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openTokenizer, type Tokenizer } from '../../ts/models/tokenizer.ts';
import { border, windows } from '../../ts/models/windows.ts';
import { TOKENIZER, withFolder, writeModel } from './tinyModel.ts';

const tiny = (): Promise<Tokenizer> =>
  withFolder(async (folder) => {
    writeModel(folder, { 'tokenizer.json': TOKENIZER });
    return openTokenizer(join(folder, 'tokenizer.json'));
  });

describe('windows', () => {
  test('are cut at words and overlap', async () => {
    const text = ' sea river sea  seaing river ';
    const cut = windows(text, await tiny(), 3, 1).map(({ start, end }) => text.slice(start, end));
    expect(cut).toEqual(['sea river sea', 'sea  seaing', 'river']);
    const apart = windows(text, await tiny(), 3, 0).map(({ start, end }) => text.slice(start, end));
    expect(apart).toEqual(['sea river sea', 'seaing river']);
  });

  test('a text that fits is one window, and so is one without words', async () => {
    expect(windows('sea river', await tiny(), 8, 2)).toEqual([{ start: 0, end: 9 }]);
    expect(windows('', await tiny(), 8, 2)).toEqual([{ start: 0, end: 0 }]);
    expect(windows('  ', await tiny(), 8, 2)).toEqual([{ start: 0, end: 2 }]);
  });

  test('cover every character that is not white space, fit the budget and go forward', async () => {
    const tokenizer = await tiny();
    const word = fc.oneof(
      fc.constantFrom('sea', 'river', 'seaing', '中文中文', '🙂', 'x'.repeat(200), '\ud83d', '한국어'),
      fc.string({ unit: 'grapheme' }),
    );
    const text = fc
      .array(fc.tuple(word, fc.constantFrom('', ' ', '\n\n')), { maxLength: 40 })
      .map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 6, max: 40 }),
        fc.integer({ min: 0, max: 45 }),
        (value, budget, overlap) => {
          const cut = windows(value, tokenizer, budget, overlap);
          let covered = 0;
          let lastStart = -1;
          for (const { start, end } of cut) {
            expect(start).toBeGreaterThan(lastStart);
            lastStart = start;
            if (start > covered) expect(value.slice(covered, start).trim()).toBe('');
            expect(end > covered || cut.length === 1).toBe(true);
            covered = end;
            expect(
              tokenizer.part(value.slice(start, end), Number.POSITIVE_INFINITY).ids.length,
            ).toBeLessThanOrEqual(budget);
          }
          expect(value.slice(covered).trim()).toBe('');
        },
      ),
    );
  });

  test('a border never parts a surrogate pair', () => {
    expect(border('a🙂b', 2)).toBe(1);
    expect(border('a🙂b', 1)).toBe(1);
    expect(border('a🙂b', 3)).toBe(3);
  });
});
