import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'seine-flow-'));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path in a directory that is removed after the tests of the file. */
export function freshPath(): string {
  return join(folder, `${files++}.seine`);
}

export const ids = (hits: { id: string }[]): string[] => hits.map(({ id }) => id);
