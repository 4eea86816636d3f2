import { expect, test } from '@jest/globals';
import { Managed, workload } from './manager.ts';

/** A manager of four slots on which a unit of `a` took 100 ms. */
async function measured(b: Parameters<typeof workload>[0]): Promise<Managed> {
  const managed = new Managed(4, {
    a: workload({ weight: 3, minShare: 0.25, maxShare: 0.75 }),
    b: workload(b),
  });
  const first = await managed.run('first', 'a');
  managed.time.after(100, () => void first.end());
  await managed.time.run(100);
  return managed;
}

test.each([
  ['idle others leave all up to the maximum', {}, 0, 3],
  ['others take no more than they want', {}, 1, 3],
  ['others take no more than their maximum', { maxShare: 0.25, weight: 100 }, 9, 3],
  ['by weight against those that want more', {}, 9, 3],
  ['by weight, if that is more than the minimum', { weight: 3 }, 9, 2],
  ['the minimum, if that is more than by weight', { weight: 100 }, 9, 1],
])('%s', async (_, b, others, slots) => {
  const managed = await measured(b);
  await managed.runAll(Array(others).fill('b'), 'b');
  await managed.runAll(Array(6).fill('a'), 'a');
  const { waiting, waitMs } = managed.manager.state().a!;
  expect(waitMs).toBeCloseTo(((waiting + 1) * 100) / slots);
});

test('costs are weighed, and recent times count more', async () => {
  const managed = new Managed(1, { a: workload() });
  for (const [ms, cost] of [
    [100, 1],
    [20, 0.5],
  ] as const) {
    const unit = await managed.run('unit', 'a', { cost });
    const end = managed.time.now() + ms;
    managed.time.after(ms, () => void unit.end());
    await managed.time.run(end);
  }
  // 0.9 · 100 + 0.1 · 20 · 0.5 over 0.9 · 1 + 0.1 · 0.5
  expect(managed.manager.state().a!.serviceMs).toBeCloseTo(91 / 0.95);
});
