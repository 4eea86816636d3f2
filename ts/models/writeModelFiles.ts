import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomic } from '../core/files.ts';
import { WEIGHTS } from '../graph/checkpoint.ts';
import type { CheckpointTensor } from '../graph/checkpointTensor.ts';
import { type NamedTensor, writeSafetensors } from '../graph/safetensors.ts';

export interface ModelFilesContent {
  /** By the names of Hugging Face; they become `model.safetensors`. */
  tensors: ReadonlyMap<string, NamedTensor | CheckpointTensor>;
  /** Files by relative name: text, and objects as JSON. */
  files: Readonly<Record<string, object | string>>;
  /** Files that are copied as they are: relative name -> path. */
  copies: Readonly<Record<string, string>>;
}

/**
 * Writes the files of a model into a directory, which is made if it is not there; each file appears whole or not at
 * all, and `config.json` and the like once weights are there.
 */
export async function writeModelFiles(
  directory: string,
  { tensors, files, copies }: ModelFilesContent,
  options: { signal?: AbortSignal | undefined; onTensor?: ((done: number) => void) | undefined } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const metadata = { format: 'pt' }; // transformers opens no file without it
  await writeSafetensors(join(directory, WEIGHTS[0]), tensors, metadata, options);
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeAtomic(path, content);
  };
  for (const [name, path] of Object.entries(copies)) await write(name, await readFile(path));
  for (const [name, value] of Object.entries(files)) {
    await write(name, typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`);
  }
}
