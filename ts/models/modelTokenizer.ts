import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ggufCompanions, ggufOf } from './ggufCompanions.ts';
import { openTokenizer, type Tokenizer, tokenizerOf } from './tokenizer.ts';
import type { TokenizerJson } from './wordPieces.ts';

/** The tokenizer in a model's directory: that of `tokenizer.json` or, without one, of its GGUF. Throws `ERR_MODEL` if it is unusable. */
export async function modelTokenizer(directory: string): Promise<Tokenizer> {
  const path = join(directory, 'tokenizer.json');
  const settings = join(directory, 'tokenizer_config.json');
  const gguf = existsSync(path) ? undefined : ggufOf(directory);
  if (gguf === undefined) return openTokenizer(path, existsSync(settings) ? settings : undefined);
  const { 'tokenizer.json': json = {}, 'tokenizer_config.json': config } = ggufCompanions(gguf);
  return tokenizerOf(json as TokenizerJson, { ...config }, gguf);
}
