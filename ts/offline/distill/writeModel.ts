import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';

/**
 * Writes a model directory: files by relative name (objects as JSON), and, as far as they are not among them, the
 * tokenizer's files from the model that it came from, limited to `maxTokens`.
 */
export async function writeModel(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array | object>>,
  { tokenizerFrom, maxTokens }: { tokenizerFrom: string; maxTokens: number },
): Promise<void> {
  const source = (name: string): Promise<string> => readFile(join(tokenizerFrom, name), 'utf8');
  const tokenizerConfig: Record<string, unknown> = JSON.parse(await source('tokenizer_config.json'));
  const { name_or_path: _, added_tokens_decoder: __, ...kept } = tokenizerConfig; // tokenizer.json gives added tokens
  const all = {
    'tokenizer.json': await source('tokenizer.json'),
    'tokenizer_config.json': { ...kept, model_max_length: maxTokens },
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    await writeAtomic(path, raw ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
}
