import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SeineError } from '../../core/errors.ts';
import { sha256, writeAtomic } from '../../core/files.ts';

/** What a stage was made of and what it made: `manifest.json` in its directory, written when all else is there. */
export interface StageManifest {
  stage: string;
  /** SHA-256 over version, options and inputs: another one is another stage, and is done anew. */
  identity: string;
  seine: string;
  options: unknown;
  /** Name -> SHA-256. */
  inputs: Record<string, string>;
  /** Relative name -> SHA-256 of every file that the stage made. */
  outputs: Record<string, string>;
  seconds: number;
}

export interface Stage {
  name: string;
  /** What its result depends on besides its inputs. */
  options: unknown;
  /** Files that it reads, by a name that does not depend on where they lie. */
  inputs: Readonly<Record<string, string>>;
  /** Makes the outputs in the directory, which may hold what an interrupted run of this very stage left. */
  run(directory: string): Promise<void>;
}

const MANIFEST = 'manifest.json';
/** Says, while a stage runs, what it is: what lies beside it belongs to it and may be gone on from. */
const BEGUN = 'begun.json';

const SEINE: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version;

/**
 * Runs a stage in `<root>/<name>`, unless its manifest says that it was run already, from the same inputs, and its
 * outputs are as it left them. What another stage of that name left there is removed first. Returns the manifest and
 * whether it was there. Errors: those of the stage; `ERR_DISK` if the directory cannot be written.
 */
export async function runStage(
  root: string,
  stage: Stage,
): Promise<{ manifest: StageManifest; kept: boolean; directory: string }> {
  const { name, options } = stage;
  const directory = join(root, name);
  const inputs: Record<string, string> = {};
  for (const [key, path] of Object.entries(stage.inputs)) inputs[key] = await hashOf(path);
  const whole = JSON.stringify([SEINE, name, options, inputs]);
  const identity = createHash('sha256').update(whole).digest('hex');
  const known = await readJson<StageManifest>(join(directory, MANIFEST));
  if (known?.identity === identity && (await isIntact(directory, known))) {
    return { manifest: known, kept: true, directory };
  }
  try {
    const begun = await readJson<{ identity: string }>(join(directory, BEGUN));
    if (begun?.identity !== identity || known !== undefined) {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      await writeAtomic(join(directory, BEGUN), JSON.stringify({ identity }));
    }
    const began = performance.now();
    await stage.run(directory);
    const outputs: Record<string, string> = {};
    for (const file of await filesIn(directory)) {
      if (file !== BEGUN) outputs[file] = await sha256(join(directory, file));
    }
    const seconds = (performance.now() - began) / 1000;
    const manifest = { stage: name, identity, seine: SEINE, options, inputs, outputs, seconds };
    await writeAtomic(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
    await rm(join(directory, BEGUN));
    return { manifest, kept: false, directory };
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof SeineError || !('syscall' in cause)) throw cause;
    throw new SeineError(
      'ERR_DISK',
      `The stage ${name} should be kept in ${directory} but cannot (${cause.message}): free space there, or name ` +
        'another directory. What is there is gone on from.',
      { cause },
    );
  }
}

/** Of a file its hash; of a directory that a stage made a hash of its outputs. */
async function hashOf(path: string): Promise<string> {
  const manifest = await readJson<StageManifest>(join(path, MANIFEST));
  if (manifest !== undefined) {
    return createHash('sha256').update(JSON.stringify(manifest.outputs)).digest('hex');
  }
  try {
    if ((await stat(path)).isDirectory()) {
      const hash = createHash('sha256');
      for (const file of await filesIn(path)) hash.update(`${file}\0${await sha256(join(path, file))}\n`);
      return hash.digest('hex');
    }
    return await sha256(path);
  } catch (cause) {
    throw new SeineError('ERR_NOT_FOUND', `A file of the recipe should be readable at ${path}: check it.`, {
      cause,
    });
  }
}

async function isIntact(directory: string, { outputs }: StageManifest): Promise<boolean> {
  for (const [file, hash] of Object.entries(outputs)) {
    const path = join(directory, file);
    if (!existsSync(path) || (await sha256(path)) !== hash) return false;
  }
  return true;
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

async function readJson<T>(path: string): Promise<T | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined; // damaged: as if it were not there
  }
}
