import { describe, expect, test } from '@jest/globals';
import { Pid } from '../../../ts/serve/depth/pid.ts';

const GAINS = { proportional: 2, integralTime: 4, derivativeTime: 0, trackingTime: 1 };

describe('Pid', () => {
  test('starts from its output whatever the first error is', () => {
    const pid = new Pid(GAINS, -10, 10, 3);
    expect(pid.output).toBe(3);
    pid.step(-1, 0, 1);
    expect(pid.output).toBe(3);
    expect(pid.terms).toEqual({ proportional: -2, integral: 5, derivative: 0 });
  });

  test('adds the terms up as computed by hand', () => {
    const pid = new Pid({ ...GAINS, derivativeTime: 4 }, -100, 100, 0);
    pid.step(1, 1, 1);
    expect(pid.terms).toEqual({ proportional: 2, integral: -1.5, derivative: 0 });
    pid.step(2, 1, 1); // the filter's time is 1: (1 · 0 + 2 · 4 · (2 − 1)) / (1 + 1)
    expect(pid.terms).toEqual({ proportional: 4, integral: -1, derivative: 4 });
    expect(pid.output).toBe(7);
    pid.step(2, 1, 1);
    expect(pid.terms).toEqual({ proportional: 4, integral: -0.5, derivative: 2 });
  });

  test('integrates the lasting error, not the other', () => {
    const pid = new Pid(GAINS, -10, 10, 0);
    pid.step(0, 1, 2);
    pid.step(0, 1, 2);
    expect(pid.output).toBe(2);
  });

  test('leaves a limit at once when the error turns, however long it was there', () => {
    const stepsToLeave = (saturatedFor: number): number => {
      const pid = new Pid({ ...GAINS, trackingTime: 0.5 }, -10, 10, 0);
      for (let i = 0; i < saturatedFor; i++) pid.step(-1, -1, 1);
      expect(pid.output).toBe(-10);
      expect(pid.saturated).toBe('low');
      let steps = 0;
      while (pid.output === -10) {
        pid.step(0.5, 0.5, 1);
        steps++;
      }
      return steps;
    };
    expect(stepsToLeave(50)).toBe(1);
    expect(stepsToLeave(5000)).toBe(1);
  });

  test('goes on without a jump after a restart', () => {
    const pid = new Pid(GAINS, -10, 10, 0);
    for (let i = 0; i < 6; i++) pid.step(-1, -1, 1);
    const { output } = pid;
    pid.restart();
    pid.step(1, 0, 1);
    expect(pid.output).toBe(output);
  });
});
