import { describe, expect, test } from '@jest/globals';
import { SeineError } from '../../../ts/core/errors.ts';
import { DepthController, type DepthSettings } from '../../../ts/serve/depth/depthController.ts';

const TARGET = 1000;

/** A controller in virtual time, and requests `every` so many milliseconds apart. */
function controlled(settings: Partial<DepthSettings> = {}) {
  const clock = { now: 5000 };
  const controller = new DepthController({
    least: 5,
    greatest: 100,
    targetMs: TARGET,
    now: () => clock.now,
    ...settings,
  });
  const feed = (count: number, latencyMs: number, every = 100): number[] =>
    Array.from({ length: count }, () => {
      clock.now += every;
      controller.observe(latencyMs);
      return controller.depth;
    });
  return { clock, controller, feed };
}

describe('DepthController', () => {
  test.each([
    [{ least: -1 }, 'least must be a whole number from 0'],
    [{ least: 2.5 }, 'least must be a whole number'],
    [{ greatest: 4 }, 'greatest must be a whole number from 5'],
    [{ greatest: Number.NaN }, 'greatest must be a whole number'],
    [{ start: 101 }, 'start must be a whole number from 5 to 100'],
    [{ targetMs: 0 }, 'targetMs must be a number above 0, got 0'],
    [{ targetMs: Number.POSITIVE_INFINITY }, 'targetMs must be a number above 0'],
  ])('refuses %j', (settings, message) => {
    const make = () => new DepthController({ least: 5, greatest: 100, targetMs: TARGET, ...settings });
    expect(make).toThrow(SeineError);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    expect(make).toThrow(message);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a latency of %p', (latency) => {
    const { controller } = controlled();
    expect(() => controller.observe(latency)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });

  test('begins at the greatest depth, or at the one given', () => {
    expect(controlled().controller.depth).toBe(100);
    expect(controlled({ start: 30 }).controller.depth).toBe(30);
    expect(controlled({ least: 7, greatest: 7 }).controller.depth).toBe(7);
    expect(controlled().controller.state()).toEqual({
      depth: 100,
      saturated: undefined,
      targetMs: TARGET,
      aimMs: 650,
      p99Ms: undefined,
      recentMs: undefined,
      error: 0,
      proportional: 0,
      integral: 0,
      derivative: 0,
    });
  });

  test.each([1, 600, 700, 900, 20_000])('does not jump at the first measurements (%d ms)', (latency) => {
    const { feed } = controlled({ start: 30 });
    const depths = feed(6, latency); // the first step comes with the sixth, 500 ms after the first
    expect(depths.slice(0, 5)).toEqual([30, 30, 30, 30, 30]);
    expect(Math.abs(depths[5]! - 30)).toBeLessThanOrEqual(3);
  });

  test('falls while requests are too slow, down to the least depth, and returns when they are quick', () => {
    const { controller, feed } = controlled();
    const falling = feed(400, 3000);
    expect(falling).toEqual(falling.toSorted((a, b) => b - a));
    expect(controller.depth).toBe(5);
    expect(controller.state().saturated).toBe('least');
    const rising = feed(10_000, 200);
    expect(controller.depth).toBe(100);
    expect(controller.state().saturated).toBe('greatest');
    const fell = falling.indexOf(5);
    expect(fell).toBeLessThan(300);
    expect(rising.indexOf(100)).toBeGreaterThan(4 * fell);
  });

  test('stays where latency is what it aims at', () => {
    const { feed } = controlled({ start: 40 });
    expect(new Set(feed(1000, 650))).toEqual(new Set([40]));
  });

  test('is as quick to return from a long overload as from a short one', () => {
    const stepsToReturn = (slow: number): number => {
      const { feed } = controlled();
      feed(slow, 5000);
      return feed(5000, 200).findIndex((depth) => depth >= 20);
    };
    const short = stepsToReturn(400);
    expect(short).toBeGreaterThan(0);
    expect(Math.abs(stepsToReturn(20_000) - short)).toBeLessThanOrEqual(5);
  });

  test('is not moved by a single outlier', () => {
    const [calm, hit] = [controlled({ start: 50 }), controlled({ start: 50 })];
    for (let i = 0; i < 600; i++) {
      const latency = 500 + (i % 10);
      calm.feed(1, latency);
      hit.feed(1, i === 30 ? 60_000 : latency);
      expect(Math.abs(hit.controller.depth - calm.controller.depth)).toBeLessThanOrEqual(1);
    }
  });

  test('changes at most every half target', () => {
    const { feed } = controlled();
    const depths = feed(5000, 2000, 1);
    const changes = depths.flatMap((depth, i) => (i > 0 && depth !== depths[i - 1] ? [i] : []));
    expect(changes.length).toBeGreaterThan(2);
    expect(Math.min(...changes.slice(1).map((at, i) => at - changes[i]!))).toBeGreaterThanOrEqual(500);
  });

  test('does nothing without measurements', () => {
    const { clock, controller, feed } = controlled();
    feed(30, 3000);
    const before = controller.state();
    expect(before.depth).toBeLessThan(100);
    clock.now += 3_600_000;
    expect(controller.state()).toEqual(before);
  });

  test('takes a pause as time to spare once a quick request says so, and only then', () => {
    const slow = controlled();
    const quick = controlled();
    for (const { feed } of [slow, quick]) feed(400, 3000);
    const { depth } = quick.controller;
    expect(depth).toBe(5);
    quick.feed(1, 200, 60_000);
    expect(quick.controller.depth).toBeGreaterThan(depth);
    quick.feed(1, 200, 600_000);
    expect(quick.controller.depth).toBe(100);
    slow.feed(1, 3000, 600_000);
    expect(slow.controller.depth).toBe(5);
  });

  test('falls where requests are rare but each is too slow, not on fewer than four', () => {
    const { controller, feed } = controlled();
    expect(feed(3, 2000, 60_000)).toEqual([100, 100, 100]);
    feed(30, 2000, 60_000);
    expect(controller.depth).toBeLessThan(20);
  });

  test('does the same at every speed', () => {
    const latencies = Array.from({ length: 400 }, (_, i) => (i < 150 ? 1.8 : 0.3) + (i % 7) / 20);
    const depthsAt = (targetMs: number): number[] => {
      const { feed } = controlled({ targetMs });
      return latencies.map((share) => feed(1, share * targetMs, targetMs / 10)[0]!);
    };
    expect(depthsAt(TARGET)).toEqual(depthsAt(16 * TARGET));
  });
});
