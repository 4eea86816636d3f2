import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LatencyWindow } from '../../../ts/serve/depth/latencyWindow.ts';

describe('LatencyWindow', () => {
  test('holds what a plain list would', () => {
    const request = fc.record({
      gap: fc.integer({ min: 0, max: 40 }),
      latency: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 60 }),
        fc.integer({ min: 4, max: 12 }),
        (requests, capacity) => {
          const window = new LatencyWindow(100, capacity);
          let list: { at: number; latency: number }[] = [];
          let now = 0;
          for (const { gap, latency } of requests) {
            now += gap;
            window.add(latency, now);
            list.push({ at: now, latency });
            list = list.slice(-capacity);
            window.expire(now, 3);
            list = list.filter(({ at }, i) => at >= now - 100 || i >= list.length - 3);
            const sorted = (values: typeof list) =>
              values.map((value) => value.latency).sort((a, b) => a - b);
            expect([...window.sorted()]).toEqual(sorted(list));
            expect([...window.sorted(2)]).toEqual(sorted(list.slice(-2)));
          }
        },
      ),
    );
  });

  test('is empty after clear', () => {
    const window = new LatencyWindow(100, 4);
    for (let i = 0; i < 6; i++) window.add(i, i);
    window.clear();
    expect([...window.sorted()]).toEqual([]);
    window.add(7, 7);
    expect([...window.sorted()]).toEqual([7]);
  });
});
