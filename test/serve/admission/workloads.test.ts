import { describe, expect, test } from '@jest/globals';
import { WORKLOADS } from '../../../ts/serve/admission/workloads.ts';
import { WorkManager } from '../../../ts/serve/admission/workManager.ts';
import { workload } from './manager.ts';

describe('settings that cannot be', () => {
  test.each([
    [/slots must be a positive whole number, got 0/, 0, { a: workload() }],
    [/slots must be a positive whole number, got 1.5/, 1.5, { a: workload() }],
    [/workloads must name at least one workload, got an object/, 2, {}],
    [/workloads\.a\.weight must be a positive number, got 0/, 2, { a: workload({ weight: 0 }) }],
    [/workloads\.a\.weight .*, got Infinity/, 2, { a: workload({ weight: Number.POSITIVE_INFINITY }) }],
    [/workloads\.a\.minShare must be a number from 0 to 1, got -0.1/, 2, { a: workload({ minShare: -0.1 }) }],
    [/workloads\.a\.maxShare must be a number from 0 to 1, got 1.1/, 2, { a: workload({ maxShare: 1.1 }) }],
    [/workloads\.a\.maxShare .*, got NaN/, 2, { a: workload({ maxShare: Number.NaN }) }],
    [
      /minShare must not exceed its maxShare of 0.5, got 0.6/,
      2,
      { a: workload({ minShare: 0.6, maxShare: 0.5 }) },
    ],
    [
      /workloads\.b\.maxShare must be one slot at least, got 0.2 of 4: raise it to 0.25/,
      4,
      { a: workload(), b: workload({ maxShare: 0.2 }) },
    ],
    [
      /minShare of all workloads must not exceed 1 together, got 1.25/,
      2,
      { a: workload({ minShare: 0.75 }), b: workload({ minShare: 0.5 }) },
    ],
    [/workloads\.a\.queue must be a whole number of 0 or more, got -1/, 2, { a: workload({ queue: -1 }) }],
    [
      /workloads\.a\.deadlineMs must be .* above 0 and at most 2147483647, got 0/,
      2,
      { a: workload({ deadlineMs: 0 }) },
    ],
  ])('%s', (message, slots, workloads) => {
    let error: unknown;
    try {
      new WorkManager({ slots, workloads });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });
  });

  test('shares that fill the slots to the last digit are none of them', () => {
    const third = workload({ minShare: 1 / 3, maxShare: 1 / 3 });
    const manager = new WorkManager({ slots: 3, workloads: { a: third, b: third, c: third } });
    expect(manager.state()).toMatchObject({ a: { minSlots: 1, maxSlots: 1 } });
  });
});

test('the workloads that come with the service fit from two slots on, and one slot is refused', () => {
  for (let slots = 2; slots <= 65; slots++) new WorkManager({ slots, workloads: WORKLOADS });
  expect(() => new WorkManager({ slots: 1, workloads: WORKLOADS })).toThrow(
    /bulk\.maxShare must be one slot/,
  );
});
