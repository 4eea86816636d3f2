import { copyFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelContent, writeModel } from './tinyModel.ts';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));

/** What `transformers` made of pairs with the prompts that come with Seine (fixtures/makePrompted.py). */
export interface Prompted {
  pairs: [query: string, document: string][];
  /** Prompt -> tokens of every pair. */
  tokens: Record<string, number[][]>;
  /** Model -> score of every pair. */
  scores: Record<string, number[]>;
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as T;
}

export const TOKENIZER_FILE = join(fixtures, 'tokenizer.json');

/** Puts a small random language model with its tokenizer and other files into a directory, and returns this. */
export function writePrompted(
  directory: string,
  family: string,
  files: Record<string, ModelContent[string]> = {},
): string {
  cpSync(join(fixtures, family), directory, { recursive: true });
  copyFileSync(TOKENIZER_FILE, join(directory, 'tokenizer.json'));
  return writeModel(directory, files);
}
