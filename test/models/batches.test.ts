import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batches } from '../../ts/models/batches.ts';

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
        }
      },
    ),
  );
  expect([...batches([], 10)]).toEqual([]);
  expect([...batches([3, 9, 3, 3], 6)]).toEqual([[1], [0, 2], [3]]);
});
