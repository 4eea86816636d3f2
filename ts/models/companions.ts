import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeineError } from '../core/errors.ts';

const COPIED = /^(?!config\.json$)(?!.*\.index\.json$).+\.(json|txt|model|jinja)$|^(LICENSE|NOTICE)$/;

/**
 * Files that belong to a model whatever its weights: tokenizer, prompts, licence, and the modules of
 * sentence-transformers. Relative names, sorted. Throws `ERR_MODEL` if `tokenizer.json` is missing or `modules.json`
 * is no list of folders within the model.
 */
export function companions(directory: string): string[] {
  const isFile = (name: string): boolean => COPIED.test(name);
  const names = readdirSync(directory).filter(isFile);
  if (!names.includes('tokenizer.json')) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} lacks tokenizer.json: fetch it from the model's page, also for a GGUF.`,
    );
  }
  for (const folder of moduleFolders(directory)) {
    if (!existsSync(join(directory, folder))) continue; // modules without settings, such as Normalize, have none
    const inside = readdirSync(join(directory, folder), { withFileTypes: true });
    names.push(...inside.filter((entry) => !entry.isDirectory()).map(({ name }) => `${folder}/${name}`));
  }
  return names.sort();
}

function moduleFolders(directory: string): string[] {
  const path = join(directory, 'modules.json');
  if (!existsSync(path)) return [];
  let modules: unknown;
  try {
    modules = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new SeineError('ERR_MODEL', `${path} should be JSON but is not: fetch the model again.`, { cause });
  }
  const folders = Array.isArray(modules) ? modules.map((module) => module?.path) : [undefined];
  if (!folders.every((folder) => typeof folder === 'string' && /^[\w-]*$/.test(folder))) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should be a list of modules, each with the path of a folder of the model: fetch the model again.`,
    );
  }
  return folders.filter((folder) => folder !== '');
}
