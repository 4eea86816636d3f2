import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { ServerProcess } from '../../helpers/serverProcess.mjs';

/** A folder that is removed after the tests of the file, as are processes that a failed test has left. */
export function freshFolder(): { path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'seine-faults-'));
  afterAll(async () => {
    await ServerProcess.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path: (name) => join(folder, name) };
}
