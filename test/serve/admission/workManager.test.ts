import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { WorkManager } from '../../../ts/serve/admission/workManager.ts';
import { Managed, workload } from './manager.ts';

describe('arguments', () => {
  test.each([
    [/no workload "c"; there are: a, b/, 'c', undefined],
    [/no workload "__proto__"/, '__proto__', undefined],
    [/cost must be a positive number of slots, got 0/, 'a', { cost: 0 }],
    [/cost .*, got NaN/, 'a', { cost: Number.NaN }],
    [/deadlineMs must be .*, got -1/, 'a', { deadlineMs: -1 }],
  ])('%s', async (message, name, options) => {
    const manager = new WorkManager({ slots: 1, workloads: { a: workload(), b: workload() } });
    const fault = { code: 'ERR_ARGUMENT', message: expect.stringMatching(message) };
    await expect(manager.run(name, async () => 1, options)).rejects.toMatchObject(fault);
    expect(manager.state().a).toMatchObject({ admitted: 0, shed: 0 });
  });
});

describe('cancellation', () => {
  test('while waiting: it leaves the queue at once', async () => {
    const managed = new Managed(1, { a: workload() });
    const controller = new AbortController();
    const running = await managed.run('running', 'a');
    const gone = await managed.run('gone', 'a', { signal: controller.signal, deadlineMs: 1000 });
    await managed.run('next', 'a');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(new Error('left'));
    await managed.time.run(0);
    expect(gone.settled).toEqual({ error: new Error('left') });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(managed.manager.state().a).toMatchObject({ waiting: 1, cancelled: 1 });
    await running.end();
    expect(managed.started).toEqual(['running', 'next']);
  });

  test('while running: the task is told, and keeps its slot until it has ended', async () => {
    const managed = new Managed(1, { a: workload() });
    const controller = new AbortController();
    const running = await managed.run('running', 'a', { signal: controller.signal });
    await managed.run('next', 'a');
    controller.abort(new Error('left'));
    await managed.time.run(0);
    expect(running.signal?.aborted).toBe(true);
    expect(running.settled).toBeUndefined();
    expect(managed.started).toEqual(['running']);
    await running.end('too late');
    expect(running.settled).toEqual({ error: new Error('left') });
    expect(managed.started).toEqual(['running', 'next']);
    expect(managed.manager.state().a).toMatchObject({ cancelled: 1, completed: 0, running: 1 });
  });

  test('before it comes: it never counts', async () => {
    const manager = new WorkManager({ slots: 1, workloads: { a: workload() } });
    const signal = AbortSignal.abort(new Error('left'));
    await expect(manager.run('a', async () => 1, { signal })).rejects.toThrow('left');
    expect(manager.state().a).toMatchObject({ admitted: 0, cancelled: 0 });
  });

  test('a signal that serves many units keeps no listeners', async () => {
    const managed = new Managed(1, { a: workload() });
    const { signal } = new AbortController();
    const units = await managed.runAll(Array(10).fill('a'), 'a', { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(9);
    for (const unit of units) await unit.end();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(managed.started).toHaveLength(10);
  });

  test('by a task that is started in the same moment', async () => {
    const manager = new WorkManager({ slots: 1, workloads: { a: workload() } });
    const controller = new AbortController();
    const first = manager.run('a', async () => controller.abort(new Error('both')), {
      signal: controller.signal,
    });
    const second = manager.run('a', async () => 1, { signal: controller.signal });
    await expect(first).rejects.toThrow('both');
    await expect(second).rejects.toThrow('both');
  });
});

describe('drain', () => {
  test('takes nothing new, and waits for what runs and waits', async () => {
    const managed = new Managed(1, { a: workload() });
    const [one, two] = await managed.runAll(['1', '2'], 'a');
    let drained = false;
    void managed.manager.drain().then(() => (drained = true));
    const late = await managed.run('late', 'a');
    expect(late.settled).toMatchObject({ error: { code: 'ERR_CLOSED', status: 503 } });
    await one!.end();
    expect(drained).toBe(false);
    await two!.end();
    expect(drained).toBe(true);
    await managed.manager.drain();
  });

  test('is done at once where nothing runs', async () => {
    await new WorkManager({ slots: 1, workloads: { a: workload() } }).drain();
  });
});

test('a task that throws before it returns a promise is a task that fails', async () => {
  const manager = new WorkManager({ slots: 1, workloads: { a: workload() } });
  const thrower = (): Promise<void> => {
    throw new Error('at once');
  };
  await expect(manager.run('a', thrower)).rejects.toThrow('at once');
  expect(manager.state().a).toMatchObject({ failed: 1, running: 0 });
  await expect(manager.run('a', async () => 'next')).resolves.toBe('next');
});

test('the clock of the process and its timers serve by default, and end a wait', async () => {
  const manager = new WorkManager({ slots: 1, workloads: { a: workload() } });
  let end: () => void = () => {};
  const running = manager.run('a', () => new Promise<void>((resolve) => (end = resolve)));
  const alive = setInterval(() => {}, 1000);
  await expect(manager.run('a', async () => 1, { deadlineMs: 5 })).rejects.toMatchObject({
    code: 'ERR_DEADLINE',
  });
  clearInterval(alive);
  end();
  await running;
});
