import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { filledRows } from '../../ts/models/filledRows.ts';

test('every item is in one row, within the capacity unless it is longer itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 150 }),
      (lengths, capacity) => {
        const rows = filledRows(lengths, capacity);
        expect(rows.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        for (const row of rows) {
          const tokens = row.reduce((sum, i) => sum + lengths[i]!, 0);
          if (row.length > 1) expect(tokens).toBeLessThanOrEqual(capacity);
        }
      },
    ),
  );
  expect(filledRows([3, 9, 3, 4], 7)).toEqual([[1], [3, 0], [2]]);
});
