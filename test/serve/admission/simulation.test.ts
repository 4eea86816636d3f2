import { describe, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { WORKLOADS } from '../../../ts/serve/admission/workloads.ts';
import {
  busy,
  type Job,
  latencies,
  longestWait,
  type Outcome,
  poisson,
  quantile,
  simulate,
} from './simulation.ts';

// The manager itself, driven by arrivals and service times from a seeded generator, in virtual time.

const SLOTS = 4;
const { interactive, bulk, judge } = WORKLOADS;
const MANAGED = [{ slots: SLOTS, workloads: WORKLOADS }];
/** Each workload alone on slots of its own. */
const STATIC = [
  { slots: 2, workloads: { interactive } },
  { slots: 1, workloads: { bulk: { ...bulk, maxShare: 1 } } },
  { slots: 1, workloads: { judge: { ...judge, maxShare: 1 } } },
];
/** Milliseconds of a slice of a long job. */
const SLICE = 20;
/** Mean milliseconds of a search. */
const SEARCH = 15.6;

/** Searches that would keep a part of all slots busy: 10 to 20 ms each, now and then three times as long. */
function searches(part: number, span: [from: number, to: number], seed = 1): Job[] {
  const generator = random(seed);
  const ms = (): number => (10 + 10 * generator.next()) * (generator.next() < 0.02 ? 3 : 1);
  return poisson('interactive', generator, (part * SLOTS * 1000) / SEARCH, span, ms);
}

function longJobs(workload: string, count: number, slices: number, at: number): Job[] {
  return Array.from({ length: count }, () => ({ workload, at, slices: Array(slices).fill(SLICE) }));
}

const of = (outcomes: Outcome[], workload: string): Outcome[] =>
  outcomes.filter((outcome) => outcome.workload === workload);
const done = (outcomes: Outcome[]): number => outcomes.filter(({ result }) => result === 'done').length;
const p99 = (outcomes: Outcome[]): number => quantile(latencies(outcomes, 'interactive'), 0.99);

test('the same arrivals fare the same', async () => {
  const jobs = [...searches(0.5, [0, 2000]), ...longJobs('bulk', 5, 20, 100)];
  expect(await simulate(MANAGED, jobs)).toEqual(await simulate(MANAGED, jobs));
});

test('against static splits: more is done in the same time, sooner, and nothing is shed that could be done', async () => {
  // Searches come in waves, one of them more than their two slots of the split can do; imports and grading in bursts.
  const jobs = [
    ...searches(0.15, [0, 20_000]),
    ...searches(0.65, [20_000, 30_000], 2),
    ...searches(0.3, [30_000, 40_000], 3),
    ...longJobs('bulk', 12, 200, 1_000),
    ...longJobs('judge', 4, 60, 5_000),
    ...longJobs('judge', 4, 60, 22_000),
  ];
  const managed = await simulate(MANAGED, jobs);
  const split = await simulate(STATIC, jobs);
  // While there is work for all.
  const span: [number, number] = [1_000, 25_000];
  const utilisation = (outcomes: Outcome[]): number => busy(outcomes, span) / SLOTS / (span[1] - span[0]);
  expect(utilisation(managed)).toBeGreaterThan(1.2 * utilisation(split));
  expect(busy(of(managed, 'bulk'), span)).toBeGreaterThan(1.5 * busy(of(split, 'bulk'), span));
  for (const workload of ['interactive', 'bulk', 'judge']) {
    const [ours, theirs] = [of(managed, workload), of(split, workload)].map((all) =>
      latencies(all, workload),
    );
    expect(ours!).toHaveLength(of(managed, workload).length);
    expect(quantile(ours!, 0.5)).toBeLessThan(quantile(theirs!, 0.5));
  }
  expect(p99(managed)).toBeLessThan(p99(split));
  // While searches ask for more than half, 12 imports share 1 part of 11: each gets a slice in 660 ms.
  expect(longestWait(of(managed, 'bulk'))).toBeLessThan((12 * SLICE * 11) / SLOTS);
  expect(done(of(split, 'interactive'))).toBeLessThan(of(split, 'interactive').length);
});

describe('a flood of long jobs', () => {
  const flood = [...longJobs('bulk', 200, 20, 1000), ...longJobs('judge', 20, 40, 1000)];

  // Up to its minimum a search waits for the end of one slice at most, beside what searches wait for each other.
  test.each([0.2, 0.4, 0.5])('leaves the P99 of searches at load %d within a slice', async (load) => {
    const quiet = searches(load, [0, 30_000]);
    const alone = await simulate(MANAGED, quiet);
    const flooded = await simulate(MANAGED, [...quiet, ...flood]);
    expect(done(flooded)).toBe(flooded.length);
    expect(p99(flooded)).toBeLessThan(p99(alone) + SLICE);
    expect(longestWait(of(flooded, 'interactive'))).toBeLessThan(
      longestWait(of(alone, 'interactive')) + 2 * SLICE,
    );
  });

  test('is served itself, by weight, while searches ask for more than there is', async () => {
    const outcomes = await simulate(MANAGED, [
      ...searches(1.5, [0, 20_000]),
      ...longJobs('bulk', 50, 100, 0),
      ...longJobs('judge', 10, 100, 0),
    ]);
    // Of what is started 8 parts of 11 are searches, 1 imports, 2 grading; the slices of these last longer.
    const part = (workload: string): number => busy(of(outcomes, workload), [1000, 20_000]) / SLOTS / 19_000;
    const whole = 8 * SEARCH + 1 * SLICE + 2 * SLICE;
    expect(part('interactive')).toBeCloseTo((8 * SEARCH) / whole, 2);
    expect(part('bulk')).toBeCloseTo(SLICE / whole, 2);
    expect(part('judge')).toBeCloseTo((2 * SLICE) / whole, 2);
    // Nobody starves: 50 jobs share 1 / 11 of four slots, so that each gets a slice in 2.75 s.
    expect(longestWait(of(outcomes, 'bulk'))).toBeLessThan((1.2 * 50 * SLICE * 11) / SLOTS);
    expect(longestWait(of(outcomes, 'judge'))).toBeLessThan((1.2 * 10 * SLICE * 5.5) / SLOTS);
    expect(done(of(outcomes, 'bulk'))).toBe(5000);
    expect(done(of(outcomes, 'judge'))).toBe(1000);
  });
});

describe('five times what can be done', () => {
  const burst: [number, number] = [5_000, 10_000];
  const jobs = [
    ...searches(0.4, [0, burst[0]]),
    ...searches(5, burst, 2),
    ...searches(0.4, [burst[1], 20_000], 3),
  ];

  test.each([
    ['a short queue', interactive],
    ['a deadline', { ...interactive, queue: 1_000_000, deadlineMs: 500 }],
  ])('is shed by %s, and goodput stays', async (_, settings) => {
    const outcomes = await simulate([{ slots: SLOTS, workloads: { interactive: settings } }], jobs);
    const refused = outcomes.filter(({ result }) => result !== 'done');
    const arrived = outcomes.filter((outcome) => outcome.arrived >= burst[0] && outcome.arrived < burst[1]);
    // About four of five are shed, all before any work on them, and nearly all as they come.
    expect(refused.length / arrived.length).toBeCloseTo(0.8, 1);
    expect(refused.every(({ started }) => started === undefined)).toBe(true);
    const shed = refused.filter(
      ({ result, arrived, ended }) => result === 'ERR_OVERLOADED' && ended === arrived,
    );
    expect(shed.length / refused.length).toBeGreaterThan(0.95);
    // Every millisecond of every slot goes into work that is wanted.
    expect(busy(outcomes, burst) / SLOTS / (burst[1] - burst[0])).toBeGreaterThan(0.99);
    expect(longestWait(outcomes)).toBeLessThanOrEqual(settings.deadlineMs);
    // A second after the burst nothing is left of it.
    const before = outcomes.filter(({ arrived }) => arrived < burst[0]);
    const after = outcomes.filter(({ arrived }) => arrived >= burst[1] + 1000);
    expect(done(after)).toBe(after.length);
    expect(p99(after)).toBeLessThan(1.2 * p99(before));
  });
});
