import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seine-demo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function demo(...args: string[]): Promise<string[]> {
  const index = join(folder, 'wordnet.seine');
  const { stdout } = await run(process.execPath, ['scripts/demo.mjs', '--index', index, ...args]);
  return stdout.split('\n');
}

/** Names of the hits, best first. */
const names = (lines: string[]) =>
  lines.filter((line) => /^[ \d]\d {2}\S/.test(line)).map((line) => line.slice(4));

test('the demo ingests WordNet and finds the thing that a query describes', async () => {
  const lines = await demo('a machine that measures earthquakes');
  expect(lines).toContainEqual(
    expect.stringMatching(/^Collection {3}117,791 glosses of WordNet, ingested in /),
  );
  expect(names(lines)).toHaveLength(10);
  expect(names(lines)).toContainEqual(expect.stringMatching(/^seismograph {2,}noun, artifact$/));
  expect(lines.filter((line) => line.length > 80 || line.includes('\u001B'))).toEqual([]);

  const again = await demo('a', 'machine that', 'measures earthquakes');
  expect(again).toContainEqual('Collection   117,791 glosses of WordNet, ingested before');
  expect(names(again)).toEqual(names(lines));
}, 1_200_000); // 117,791 glosses beside other suites
