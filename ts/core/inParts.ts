import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from './files.ts';

export interface PartOptions {
  /** Items of a part: what is lost at most when the process is killed. */
  size: number;
  signal?: AbortSignal | undefined;
  /** Items that are done. */
  onDone?: ((done: number, total: number) => void) | undefined;
}

const FOLDER = 'parts';

/**
 * Makes something of many items in parts, each a file that appears whole, so that an interrupted run goes on with the part
 * that it had not finished. Returns the parts' bytes in order; `forgetParts` removes the files once the result is kept.
 */
export async function inParts<T>(
  directory: string,
  items: readonly T[],
  make: (part: readonly T[]) => Promise<Uint8Array | string>,
  { size, signal, onDone }: PartOptions,
): Promise<Buffer[]> {
  const folder = join(directory, FOLDER);
  await mkdir(folder, { recursive: true });
  const made: Buffer[] = [];
  for (let first = 0; first < items.length; first += size) {
    signal?.throwIfAborted();
    const path = join(folder, String(first / size).padStart(6, '0'));
    if (!existsSync(path)) await writeAtomic(path, await make(items.slice(first, first + size)));
    made.push(await readFile(path));
    onDone?.(Math.min(items.length, first + size), items.length);
  }
  return made;
}

export const forgetParts = (directory: string): Promise<void> =>
  rm(join(directory, FOLDER), { recursive: true, force: true });
