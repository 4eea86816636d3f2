import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';

/** Tests that need a folder of ../shared, which those have who work on Seine; skipped, with a line that says so, where it is not there. */
export function describeWithShared(name: string, path: string, tests: (folder: string) => void): void {
  const folder = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
  const present = existsSync(folder);
  if (!present) console.warn(`Skipped: ${name}, for there is no ../shared/${path}.`);
  (present ? describe : describe.skip)(name, () => tests(folder));
}
