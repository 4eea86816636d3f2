import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { mutants, mutate } from './mutants/mutants.mjs';
import { outcomes } from './mutants/outcomes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('every mutant applies exactly once and has a name of its own', () => {
  for (const mutant of mutants) {
    const source = readFileSync(`${root}/${mutant.file}`, 'utf8');
    expect(mutate(source, mutant)).not.toBe(source);
    for (const suite of mutant.suites) expect([suite, existsSync(`${root}/${suite}`)]).toEqual([suite, true]);
  }
  const names = mutants.map(({ device, name }) => `${device}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});

test('the table of outcomes has a line for every mutant, in their order', () => {
  expect([...outcomes().keys()]).toEqual(mutants.map(({ device, name }) => `${device}: ${name}`));
});

test('a mutant whose place is gone or not unique is refused', () => {
  const [mutant] = mutants;
  expect(() => mutate('', mutant!)).toThrow(/must apply exactly once, but its text is 0 times/);
  expect(() => mutate(mutant!.find + mutant!.find, mutant!)).toThrow(/is 2 times/);
});
