import { describe, expect, test } from '@jest/globals';
import { OverloadError } from '../../../ts/serve/admission/overloadError.ts';
import { WorkManager } from '../../../ts/serve/admission/workManager.ts';
import { Managed, workload } from './manager.ts';

describe('refusals', () => {
  test('a full queue sheds', async () => {
    const managed = new Managed(1, { a: workload({ queue: 1 }) });
    const [running, waiting, shed] = await managed.runAll(['1', '2', '3'], 'a');
    const { error } = shed!.settled as { error: OverloadError };
    expect(error).toBeInstanceOf(OverloadError);
    expect(error).toMatchObject({ code: 'ERR_OVERLOADED', status: 429, exit: 4, retryAfterMs: 1000 });
    expect(error.message).toBe('The queue of the workload "a" is full, 1 wait: try again in 1000 ms.');
    await running!.end();
    await waiting!.end();
    expect(managed.started).toEqual(['1', '2']);
    expect(managed.manager.state().a).toMatchObject({ admitted: 2, completed: 2, shed: 1, waiting: 0 });
  });

  test('what goes on with a job that has begun waits its turn, however many wait', async () => {
    const managed = new Managed(1, { a: workload({ queue: 1, deadlineMs: 50 }) });
    const [running, waiting] = await managed.runAll(['running', 'waiting'], 'a', { deadlineMs: 1000 });
    const later = await managed.run('later', 'a', { begun: true });
    const hurried = await managed.run('hurried', 'a', { begun: true, deadlineMs: 100 });
    expect((await managed.run('new', 'a', { deadlineMs: 1000 })).settled).toMatchObject({
      error: { code: 'ERR_OVERLOADED' },
    });
    await managed.time.run(100);
    expect(hurried.settled).toMatchObject({ error: { code: 'ERR_DEADLINE' } });
    const controller = new AbortController();
    const left = await managed.run('left', 'a', { begun: true, signal: controller.signal });
    controller.abort(new Error('left'));
    await managed.time.run(0);
    expect(left.settled).toEqual({ error: new Error('left') });
    await running!.end();
    await waiting!.end();
    await later.end();
    expect(managed.started).toEqual(['running', 'waiting', 'later']);
    expect(managed.manager.state().a).toMatchObject({ shed: 1, expired: 1, cancelled: 1, waiting: 0 });
  });

  test('without a queue only what can run at once is taken', async () => {
    const managed = new Managed(1, { a: workload({ queue: 0 }) });
    const [, shed] = await managed.runAll(['1', '2'], 'a');
    expect(shed!.settled).toMatchObject({ error: { code: 'ERR_OVERLOADED' } });
  });

  test('what cannot start before its deadline is shed at once, by measured service times', async () => {
    const managed = new Managed(2, { a: workload({ deadlineMs: 250 }) });
    const first = await managed.run('first', 'a');
    managed.time.after(100, () => void first.end());
    await managed.time.run(100);
    expect(managed.manager.state().a).toMatchObject({ serviceMs: 100, waitMs: 0, slotMs: 100 });
    // Two run; each further one waits 50 ms longer, as two slots each end 10 a second.
    await managed.runAll(['1', '2', '3', '4', '5', '6', '7'], 'a');
    expect(managed.manager.state().a).toMatchObject({ waiting: 5, waitMs: 300 });
    const shed = await managed.run('8', 'a');
    expect(shed.settled).toMatchObject({
      error: {
        code: 'ERR_OVERLOADED',
        retryAfterMs: 150,
        message: expect.stringMatching(/about 300 ms .* of 250 ms/),
      },
    });
    expect((await managed.run('9', 'a', { deadlineMs: 400 })).settled).toBeUndefined();
    expect(managed.manager.state().a).toMatchObject({ waiting: 6, shed: 1 });
  });

  test('a high estimate cannot keep a workload out for ever', async () => {
    const managed = new Managed(1, { a: workload({ deadlineMs: 50 }), b: workload() });
    const slow = await managed.run('slow', 'a');
    managed.time.after(10_000, () => void slow.end());
    await managed.time.run(10_000);
    const other = await managed.run('other', 'b');
    const one = await managed.run('one', 'a');
    const two = await managed.run('two', 'a');
    expect(one.settled).toBeUndefined();
    expect(two.settled).toMatchObject({ error: { code: 'ERR_OVERLOADED' } });
    await other.end();
    expect(managed.started).toEqual(['slow', 'other', 'one']);
  });

  test('a deadline that passes while waiting refuses before the work starts', async () => {
    const managed = new Managed(1, { a: workload({ deadlineMs: 100 }) });
    const running = await managed.run('running', 'a');
    const late = await managed.run('late', 'a');
    const patient = await managed.run('patient', 'a', { deadlineMs: 1000 });
    await managed.time.run(99);
    expect(late.settled).toBeUndefined();
    await managed.time.run(100);
    expect(late.settled).toMatchObject({
      error: {
        code: 'ERR_DEADLINE',
        status: 503,
        exit: 4,
        message: expect.stringMatching(/deadline of 100 ms/),
      },
    });
    await running.end();
    expect(managed.started).toEqual(['running', 'patient']);
    await patient.end();
    expect(managed.manager.state().a).toMatchObject({ admitted: 3, completed: 2, expired: 1, waitedMs: 100 });
  });

  test('a deadline counts also where its timer is late', async () => {
    let now = 0;
    const manager = new WorkManager({
      slots: 1,
      workloads: { a: workload() },
      now: () => now,
      after: () => () => {},
    });
    let end: () => void = () => {};
    const running = manager.run('a', () => new Promise<void>((resolve) => (end = resolve)));
    const late = manager.run('a', async () => 'ran', { deadlineMs: 10 });
    now = 10;
    end();
    await running;
    await expect(late).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
  });
});
