import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup, DatabaseSync } from '@photostructure/sqlite';
import { SeineError } from '../core/errors.ts';
import { syncDirectory } from './segmentFile.ts';

/** Pages of 8 KiB that one step copies. */
const STEP_PAGES = 256;

/**
 * Copies the index at `source` to `target`. A second connection holds the state that is copied, so writes go on and
 * the copy is one committed generation. It gets its name only when it is whole and on disk.
 */
export async function backUp(source: string, target: string): Promise<void> {
  checkTarget(source, target);
  const temporary = `${target}.${randomUUID()}.tmp`;
  const reader = new DatabaseSync(source, { readOnly: true, timeout: 10_000 });
  try {
    reader.exec('BEGIN');
    reader.prepare('SELECT value FROM counters').all();
    await backup(reader, temporary, { rate: STEP_PAGES });
    reader.exec('COMMIT');
    const copy = new DatabaseSync(temporary);
    try {
      // The copy has no segment files; a log beside it would not be renamed with it.
      copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; DELETE FROM segments');
    } finally {
      copy.close();
    }
    const descriptor = openSync(temporary, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, target);
    syncDirectory(dirname(target));
  } finally {
    reader.close();
    for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(temporary + ending, { force: true });
  }
}

function checkTarget(source: string, target: string): void {
  const directory = dirname(resolve(target));
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `There is no directory ${directory} for the backup: make it first.`,
    );
  }
  const file = statSync(target, { throwIfNoEntry: false });
  if (file === undefined) return;
  const hasLog = statSync(`${target}-wal`, { throwIfNoEntry: false }) !== undefined;
  if (!file.isFile() || hasLog || realpathSync(target) === realpathSync(source)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The backup must go to a file that is not in use, ${target} is not: name another path or close that index.`,
    );
  }
}
