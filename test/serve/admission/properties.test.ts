import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { WorkloadSettings } from '../../../ts/serve/admission/workloads.ts';
import { WorkManager } from '../../../ts/serve/admission/workManager.ts';
import { VirtualTime } from './virtualTime.ts';

type Step =
  | { come: number; cost: number; deadlineMs: number | undefined }
  | { end: number; fails: boolean }
  | { abort: number }
  | { pass: number };

interface Unit {
  workload: string;
  /** Slots, after what is more than the maximum. */
  cost: number;
  /** As the manager may know, before its promise has settled. */
  state: 'waiting' | 'running' | 'ended';
  started: boolean;
  controller: AbortController;
  deadline: number;
  end: () => void;
  fail: () => void;
  result: string | undefined;
}

const EPSILON = 1e-6;

const settings = fc.record({
  slots: fc.integer({ min: 1, max: 5 }),
  lanes: fc.array(
    fc.record({
      weight: fc.constantFrom(0.5, 1, 2, 8),
      minimum: fc.double({ min: 0, max: 1, noNaN: true }),
      maximum: fc.double({ min: 0, max: 1, noNaN: true }),
      queue: fc.integer({ min: 0, max: 6 }),
      deadlineMs: fc.constantFrom(undefined, 20, 200),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      come: fc.nat(3),
      cost: fc.constantFrom(0.1, 0.25, 1 / 3, 0.5, 1, 1, 1, 1.5, 2, 7),
      deadlineMs: fc.constantFrom(undefined, undefined, 5, 50),
    }),
  },
  { weight: 4, arbitrary: fc.record({ end: fc.nat(), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ abort: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 60 }) }) },
);

/** Minima that leave no more than there is, and maxima of one slot at least. */
function workloadsOf({ slots, lanes }: { slots: number; lanes: { minimum: number; maximum: number }[] }) {
  const total = Math.max(
    1,
    lanes.reduce((sum, { minimum }) => sum + minimum, 0),
  );
  return Object.fromEntries(
    lanes.map(({ minimum, maximum, ...rest }, i) => {
      const minShare = minimum / total;
      return [`w${i}`, { ...rest, minShare, maxShare: Math.max(maximum, minShare, 1 / slots) }];
    }),
  ) as Record<string, WorkloadSettings>;
}

/** What the manager does, watched from outside with counts of its own. */
class Watched {
  readonly time = new VirtualTime();
  readonly units: Unit[] = [];
  readonly shed = new Map<string, number>();
  readonly faults: string[] = [];
  readonly manager: WorkManager;
  readonly workloads: Record<string, WorkloadSettings>;
  readonly slots: number;
  /** By workload: what others have started since it could last have started something, in slots. */
  readonly passed = new Map<string, number>();

  constructor(slots: number, workloads: Record<string, WorkloadSettings>) {
    this.slots = slots;
    this.workloads = workloads;
    const { now, after } = this.time;
    this.manager = new WorkManager({ slots, workloads, now, after });
  }

  in(state: Unit['state'], workload?: string): Unit[] {
    const now = state === 'waiting' ? this.time.now() : Number.NEGATIVE_INFINITY;
    return this.units.filter(
      (unit) => unit.state === state && (workload ?? unit.workload) === unit.workload && now < unit.deadline,
    );
  }

  held(workload?: string): number {
    return this.in('running', workload).reduce((sum, { cost }) => sum + cost, 0);
  }

  most(workload: string): number {
    return this.workloads[workload]!.maxShare * this.slots;
  }

  /** The first that waits, if its workload's maximum lets it start. */
  ready(workload: string): Unit | undefined {
    const [head] = this.in('waiting', workload);
    return head && this.held(workload) + head.cost <= this.most(workload) + EPSILON ? head : undefined;
  }

  come({ come, cost, deadlineMs }: Extract<Step, { come: number }>): void {
    const names = Object.keys(this.workloads);
    const workload = names[come % names.length]!;
    const unit: Unit = {
      workload,
      cost: Math.min(cost, this.most(workload)),
      state: 'waiting',
      started: false,
      controller: new AbortController(),
      deadline:
        this.time.now() + (deadlineMs ?? this.workloads[workload]!.deadlineMs ?? Number.POSITIVE_INFINITY),
      end: () => {},
      fail: () => {},
      result: undefined,
    };
    this.units.push(unit);
    const task = (): Promise<void> => {
      this.start(unit);
      return new Promise((resolve, reject) => {
        unit.end = resolve;
        unit.fail = () => reject(Object.assign(new Error('broken'), { code: 'broken' }));
      });
    };
    this.manager.run(workload, task, { cost, deadlineMs, signal: unit.controller.signal }).then(
      () => this.settle(unit, 'completed'),
      (error: { code: string }) => this.settle(unit, error.code),
    );
  }

  start(unit: Unit): void {
    const { workload } = unit;
    if (this.in('waiting', workload)[0] !== unit) this.faults.push(`${workload} started out of order`);
    if (this.time.now() >= unit.deadline) this.faults.push(`${workload} started after its deadline`);
    const { minShare } = this.workloads[workload]!;
    const borrows = this.held(workload) >= minShare * this.slots - EPSILON;
    for (const [other, { minShare }] of Object.entries(this.workloads)) {
      if (other === workload || this.ready(other) === undefined) continue;
      this.passed.set(other, (this.passed.get(other) ?? 0) + unit.cost);
      const below = this.held(other) < minShare * this.slots - EPSILON;
      if (borrows && below && !this.overdue(workload)) this.faults.push(`${workload} went before ${other}`);
    }
    this.passed.set(workload, 0);
    unit.state = 'running';
    unit.started = true;
    if (this.held() > this.slots + EPSILON) this.faults.push('more runs than there are slots');
    if (this.held(workload) > this.most(workload) + EPSILON)
      this.faults.push(`${workload} exceeds its maximum`);
  }

  /** Whether others have gone first for longer than any fair turns would last. */
  overdue(workload: string): boolean {
    const weights = Object.values(this.workloads).reduce((sum, { weight }) => sum + weight, 0);
    const turn = (this.slots * weights) / this.workloads[workload]!.weight;
    return (this.passed.get(workload) ?? 0) > 4 * turn - EPSILON;
  }

  settle(unit: Unit, result: string): void {
    if (result === 'ERR_OVERLOADED') this.shed.set(unit.workload, (this.shed.get(unit.workload) ?? 0) + 1);
    if (result.startsWith('ERR_') && unit.started) this.faults.push(`${result} after the start`);
    unit.state = 'ended';
    unit.result = result;
    if (this.in('waiting', unit.workload).length === 0) this.passed.set(unit.workload, 0);
  }

  async take(step: Step): Promise<void> {
    if ('come' in step) this.come(step);
    else if ('pass' in step) await this.time.run(this.time.now() + step.pass);
    else if ('end' in step) {
      const running = this.in('running');
      const unit = running[step.end % running.length];
      if (unit === undefined) return;
      unit.state = 'ended';
      if (step.fails) unit.fail();
      else unit.end();
    } else {
      const open = [...this.in('waiting'), ...this.in('running')];
      const unit = open[step.abort % open.length];
      if (unit === undefined) return;
      if (unit.state === 'waiting') unit.state = 'ended';
      unit.controller.abort(Object.assign(new Error('left'), { code: 'cancelled' }));
    }
    await setImmediate();
  }

  /** Between steps nothing changes, so that counters must agree and nothing that fits may wait. */
  check(): void {
    expect(this.faults).toEqual([]);
    const state = this.manager.state();
    for (const name of Object.keys(this.workloads)) {
      const units = this.units.filter(({ workload }) => workload === name);
      const ended = (result: string): number => units.filter((unit) => unit.result === result).length;
      const counted = {
        running: this.in('running', name).length,
        waiting: this.in('waiting', name).length,
        completed: ended('completed'),
        failed: ended('broken'),
        expired: ended('ERR_DEADLINE'),
        cancelled: ended('cancelled'),
      };
      const admitted = Object.values(counted).reduce((sum, count) => sum + count, 0);
      expect(state[name]).toMatchObject({ ...counted, admitted, shed: this.shed.get(name) ?? 0 });
      expect(admitted + (this.shed.get(name) ?? 0)).toBe(units.length);
      expect(counted.waiting).toBeLessThanOrEqual(this.workloads[name]!.queue);
      expect(state[name]!.slots).toBeCloseTo(this.held(name), 4);
    }
    const ready = Object.keys(this.workloads).flatMap((name) => this.ready(name) ?? []);
    const fits = ready.filter(({ cost }) => this.held() + cost <= this.slots + EPSILON / 10);
    if (ready.length > 0) expect(fits.length).toBeLessThan(ready.length);
  }
}

test('whatever comes in whatever order: limits, order, counters, and every promise settles', async () => {
  await fc.assert(
    fc.asyncProperty(
      settings,
      fc.array(step, { minLength: 1, maxLength: 60 }),
      async ({ slots, lanes }, steps) => {
        const watched = new Watched(slots, workloadsOf({ slots, lanes }));
        for (const step of steps) {
          await watched.take(step);
          watched.check();
        }
        const drained = watched.manager.drain();
        while (watched.in('running').length > 0) {
          await watched.take({ end: 0, fails: false });
          watched.check();
        }
        await drained;
        expect(watched.units.filter(({ result }) => result === undefined)).toEqual([]);
        for (const { controller } of watched.units) {
          expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
        }
      },
    ),
    { numRuns: 400 },
  );
});
