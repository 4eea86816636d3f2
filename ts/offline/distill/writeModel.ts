import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';

/**
 * Writes a model directory: files by relative name (objects as JSON), and the tokenizer's files copied from the model
 * that it came from.
 */
export async function writeModel(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array | object>>,
  tokenizerFrom: string,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    await writeAtomic(path, raw ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(tokenizerFrom, name), join(directory, name));
  }
}
