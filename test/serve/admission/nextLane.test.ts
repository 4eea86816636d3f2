import { describe, expect, test } from '@jest/globals';
import { Managed, workload } from './manager.ts';

describe('order', () => {
  test('what fits runs at once, the rest in the order of arrival', async () => {
    const managed = new Managed(2, { a: workload() });
    const units = await managed.runAll(['1', '2', '3', '4'], 'a');
    expect(managed.started).toEqual(['1', '2']);
    await units[1]!.end('two');
    expect(units[1]!.settled).toEqual({ value: 'two' });
    await units[0]!.fail(new Error('one'));
    expect(units[0]!.settled).toEqual({ error: new Error('one') });
    expect(managed.started).toEqual(['1', '2', '3', '4']);
  });

  test('slots go round by weight', async () => {
    const managed = new Managed(1, { a: workload({ weight: 3 }), b: workload() });
    let running = (await managed.run('first', 'a'))!;
    const waiting = [
      ...(await managed.runAll(Array(12).fill('a'), 'a')),
      ...(await managed.runAll(Array(12).fill('b'), 'b')),
    ];
    for (let i = 0; i < 16; i++) {
      await running.end();
      running = waiting.find(({ signal, settled }) => signal !== undefined && settled === undefined)!;
    }
    expect(managed.started.slice(1, 13).filter((name) => name === 'a')).toHaveLength(9);
    expect(managed.started.slice(1, 9).filter((name) => name === 'a')).toHaveLength(6);
  });

  test('heavy units count more', async () => {
    const managed = new Managed(1, { a: workload(), b: workload() });
    let running = (await managed.run('first', 'a'))!;
    const waiting = [
      ...(await managed.runAll(Array(20).fill('a'), 'a')),
      ...(await managed.runAll(Array(20).fill('b'), 'b', { cost: 0.25 })),
    ];
    for (let i = 0; i < 10; i++) {
      await running.end();
      running = waiting.find(({ signal, settled }) => signal !== undefined && settled === undefined)!;
    }
    // Theorem 1 of the paper: what two get differs by one unit of each at most.
    const light = managed.started.slice(1).filter((name) => name === 'b').length;
    const heavy = managed.started.slice(1).length - light;
    expect(Math.abs(light * 0.25 - heavy)).toBeLessThanOrEqual(1.25);
  });

  test('a workload below its minimum goes first, then fair turns begin', async () => {
    const managed = new Managed(4, { a: workload({ minShare: 0.5 }), b: workload({ weight: 1000 }) });
    const bulk = await managed.runAll(['b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'], 'b');
    await managed.runAll(['a1', 'a2', 'a3'], 'a');
    expect(managed.started).toEqual(['b1', 'b2', 'b3', 'b4']);
    for (const unit of bulk.slice(0, 4)) await unit.end();
    expect(managed.started.slice(4)).toEqual(['a1', 'a2', 'b5', 'b6']);
  });

  test('idle slots are lent up to the maximum', async () => {
    const managed = new Managed(4, { a: workload({ minShare: 0.5 }), b: workload({ maxShare: 0.75 }) });
    const units = await managed.runAll(['b1', 'b2', 'b3', 'b4'], 'b');
    expect(managed.started).toEqual(['b1', 'b2', 'b3']);
    await managed.runAll(['a1', 'a2'], 'a');
    expect(managed.started).toEqual(['b1', 'b2', 'b3', 'a1']);
    await units[0]!.end();
    expect(managed.started).toEqual(['b1', 'b2', 'b3', 'a1', 'a2']);
  });

  test('who used what nobody wanted owes nothing for it', async () => {
    const managed = new Managed(1, { a: workload(), b: workload() });
    let unit = (await managed.run('b', 'b'))!;
    for (let i = 0; i < 50; i++) {
      const next = await managed.run('b', 'b');
      await unit.end();
      unit = next;
    }
    managed.started.length = 0;
    const waiting = [
      ...(await managed.runAll(Array(8).fill('a'), 'a')),
      ...(await managed.runAll(Array(8).fill('b'), 'b')),
    ];
    for (let i = 0; i < 8; i++) {
      await unit.end();
      unit = waiting.find(({ signal, settled }) => signal !== undefined && settled === undefined)!;
    }
    expect(managed.started.filter((name) => name === 'b')).toHaveLength(3);
  });

  test('a heavy unit waits until it fits, and light ones do not slip past it', async () => {
    const managed = new Managed(2, { a: workload(), b: workload() });
    const light = await managed.runAll(['1', '2'], 'a', { cost: 0.5 });
    await managed.run('heavy', 'b', { cost: 2 });
    await managed.run('3', 'a', { cost: 0.5 });
    await light[0]!.end();
    expect(managed.started).toEqual(['1', '2']);
    await light[1]!.end();
    expect(managed.started).toEqual(['1', '2', 'heavy']);
  });

  test('more cost than the maximum counts as the maximum', async () => {
    const managed = new Managed(4, { a: workload(), b: workload({ maxShare: 0.5 }) });
    const heavy = await managed.run('heavy', 'b', { cost: 100 });
    expect(managed.manager.state().b).toMatchObject({ running: 1, slots: 2, maxSlots: 2 });
    await managed.run('light', 'b', { cost: 0.1 });
    await managed.run('other', 'a', { cost: 2 });
    expect(managed.started).toEqual(['heavy', 'other']);
    await heavy.end();
    expect(managed.started).toEqual(['heavy', 'other', 'light']);
  });

  test('minima that take up all slots starve nobody', async () => {
    const managed = new Managed(2, {
      a: workload({ minShare: 0.5 }),
      b: workload({ minShare: 0.5 }),
      c: workload(),
    });
    const running = [await managed.run('a', 'a'), await managed.run('b', 'b')];
    const poor = await managed.run('c', 'c');
    let turns = 0;
    for (; poor.signal === undefined && turns < 1000; turns++) {
      const name = turns % 2 === 0 ? 'a' : 'b';
      running.push(await managed.run(name, name));
      await running.shift()!.end();
    }
    expect(turns).toBeGreaterThan(8);
    expect(turns).toBeLessThanOrEqual(4 * 2 * 3 + 2);
  });
});
