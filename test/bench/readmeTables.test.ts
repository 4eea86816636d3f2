import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readmeTables, withTables } from '../../bench/report/readmeTables.ts';
import { readResults } from '../../bench/report/results.ts';

const readme = readFileSync('README.md', 'utf8');

test('the tables of README are made from bench/results', () => {
  const tables = readmeTables(readResults());
  expect(withTables(readme, tables)).toBe(readme);
  // A text whose tables were lost would pass as well.
  for (const [name, table] of Object.entries(tables)) {
    expect(table.length).toBeGreaterThan(100);
    expect(readme).toContain(`<!-- bench:${name} -->\n${table}`);
  }
});
