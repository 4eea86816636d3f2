import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';

export interface TokenizerSource {
  /** Directory of the model that the tokenizer's files come from. */
  from: string;
  /** `tokenizer.json` to be written in the place of that model's. */
  tokenizer?: object | undefined;
  /** Tokens that are read of a text. */
  maxTokens: number;
}

/**
 * Writes a model directory: files by relative name (objects as JSON), and the tokenizer's, which cuts texts off after
 * `maxTokens` and pads none by itself.
 */
export async function writeModel(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array | object>>,
  { from, tokenizer, maxTokens }: TokenizerSource,
): Promise<void> {
  const source = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(from, name), 'utf8'));
  // tokenizer.json gives added tokens.
  const { name_or_path: _, added_tokens_decoder: __, ...kept } = await source('tokenizer_config.json');
  const all = {
    ...files,
    // In one line: a vocabulary has a line for each piece else.
    'tokenizer.json': JSON.stringify({
      ...(tokenizer ?? (await source('tokenizer.json'))),
      truncation: { direction: 'Right', max_length: maxTokens, strategy: 'LongestFirst', stride: 0 },
      padding: null,
    }),
    'tokenizer_config.json': { ...kept, model_max_length: maxTokens },
  };
  for (const [name, content] of Object.entries(all)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    await writeAtomic(path, raw ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
}
