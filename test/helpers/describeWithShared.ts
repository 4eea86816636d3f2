import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from '@jest/globals';

/** Tests that need a folder of ../shared, which those have who work on Seine; skipped, with a line that says so, where it is not there. */
export function describeWithShared(name: string, path: string, tests: (folder: string) => void): void {
  const folder = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
  if (existsSync(folder)) {
    describe(name, () => tests(folder));
    return;
  }
  console.warn(`Skipped: ${name}, for there is no ../shared/${path}.`);
  test.skip(name, () => {}); // `describe.skip` would run `tests` to learn their names
}
