import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batches } from '../../ts/models/batches.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';

/** Tokens of the items, and with padding. */
function tokensOf(groups: Iterable<number[]>, lengths: readonly number[]): { real: number; padded: number } {
  const total = { real: 0, padded: 0 };
  for (const group of groups) {
    const own = group.map((i) => lengths[i]!);
    total.real += own.reduce((sum, length) => sum + length, 0);
    total.padded += own.length * Math.max(...own);
  }
  return total;
}

test('every item is in one batch, within the budget, longest first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 80 }),
      fc.integer({ min: 1, max: 2000 }),
      (lengths, budget) => {
        const groups = [...batches(lengths, budget)];
        expect(groups.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        let last = Number.POSITIVE_INFINITY;
        for (const group of groups) {
          const longest = Math.max(...group.map((i) => lengths[i]!));
          expect(longest).toBeLessThanOrEqual(last);
          last = Math.min(...group.map((i) => lengths[i]!));
          if (group.length > 1) expect(group.length * longest).toBeLessThanOrEqual(budget);
          if (group.length > 1 && group.length * longest > 256) {
            const { real, padded } = tokensOf([group], lengths);
            expect(padded - real).toBeLessThanOrEqual(0.05 * padded);
          }
        }
      },
    ),
  );
  expect([...batches([], 10)]).toEqual([]);
  expect([...batches([3, 9, 3, 3], 6)]).toEqual([[1], [0, 2], [3]]);
});

describeWithShared('on job postings', 'data/jobs', (jobs) => {
  test('5 % of the tokens are padding at most, with titles alone and whole postings mixed', () => {
    const lines = readFileSync(join(jobs, 'corpus.jsonl'), 'utf8').trimEnd().split('\n');
    // About as many tokens as words and marks.
    const count = (text: string): number => text.match(/\w+|[^\w\s]/g)?.length ?? 1;
    for (let start = 0; start < 2000; start += 200) {
      const lengths = lines.slice(start, start + 200).map((line, i) => {
        const { title, text } = JSON.parse(line) as { title: string; text: string };
        return Math.min(512, count(i % 3 === 0 ? title : `${title} ${text}`));
      });
      const { real, padded } = tokensOf(batches(lengths, 4096), lengths);
      expect(padded - real).toBeLessThanOrEqual(0.05 * padded);
    }
  });
});
