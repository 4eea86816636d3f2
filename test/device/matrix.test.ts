import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { KINDS } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame, METRICS, play, type SearchCase, searchCases } from '../helpers/searchCases.ts';

/** Multiplications of the reference in a case, and cases, at full pace. */
const [WORK, CASES] = EFFORT > 1 ? [3e6, 30 * EFFORT] : [5e5, 24];

// The reference is compared with the definition in contract.test.ts, and every other device with the reference here.
describe.each(devices.filter(({ label }) => label !== 'reference'))('$label', ({ open, pace }) => {
  const opened = openedWithReference(open);

  test(
    `ids and scores are bit for bit those of the reference (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(searchCases(WORK), async (c) => {
        expectSame(await play(opened.device, c), await play(opened.reference, c));
      });
      await fc.assert(property, { numRuns: Math.ceil(CASES * pace), ...DRAWN });
    },
    120_000 * EFFORT,
  );

  test.each(Object.keys(KINDS))('every metric on rows of the kind %s', async (kind) => {
    for (const metric of METRICS) {
      const c: SearchCase = {
        ...{ metric, kind, dim: 21, parts: [700, 33], q: 9, k: () => 33, seed: 3 },
        ...{ filter: 'none', passing: (n) => n, removed: 0 },
      };
      const found = await play(opened.device, c);
      expectSame(found, await play(opened.reference, c));
      expect(found.counts).toEqual(new Uint32Array(9).fill(33));
    }
  });

  test('all of so long rows that a device takes a few at a time', async () => {
    const c: SearchCase = {
      ...{ metric: 'ip', kind: 'normal', dim: 4096, parts: [300, 33], q: 1, k: (n) => n, seed: 5 },
      ...{ filter: 'none', passing: (n) => n, removed: 0 },
    };
    expectSame(await play(opened.device, c), await play(opened.reference, c));
  });

  // The largest batches take long: at full pace those of each metric are filtered in one way.
  test.each([1, 7, 8, 9, 31, 32, 33, 64, 257])(
    `a batch of %i queries, unfiltered and filtered (seed ${SEED})`,
    async (q) => {
      for (const [i, metric] of METRICS.entries()) {
        for (const [j, filter] of (['none', 'mask', 'rows'] as const).entries()) {
          if (EFFORT === 1 && q > 64 && (SEED + i) % 3 !== j) continue;
          const c: SearchCase = {
            ...{ metric, kind: 'normal', dim: 11, parts: [513, 70], q, k: () => 4, seed: q },
            ...{ filter, passing: (n) => Math.round((filter === 'rows' ? 0.1 : 0.6) * n), removed: 0.02 },
          };
          expectSame(await play(opened.device, c), await play(opened.reference, c));
        }
      }
    },
  );

  test.each(['mask', 'rows'] as const)('filters of many sizes given as %s, and removals', async (filter) => {
    for (const share of [0.95, 0.5, 0.1, 0.03]) {
      for (const removed of [0, 0.3]) {
        const c: SearchCase = {
          ...{ metric: 'ip', kind: 'normal', dim: 12, parts: [2000, 999], q: 3, k: () => 5, seed: 4 },
          ...{ filter, passing: (n) => Math.round(share * n), removed },
        };
        expectSame(await play(opened.device, c), await play(opened.reference, c));
      }
    }
  });
});
