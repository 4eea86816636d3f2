import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeineError } from '../core/errors.ts';
import { ggufCompanions, ggufOf } from './ggufCompanions.ts';

const COPIED = /^(?!config\.json$)(?!.*\.index\.json$).+\.(json|txt|model|jinja)$|^(LICENSE|NOTICE)$/;

export interface Companions {
  /** Files that are there: relative name -> path. */
  copies: Record<string, string>;
  /** Files whose content only the metadata of a GGUF give, by their relative names. */
  made: Record<string, object>;
}

/**
 * Files that belong to a model whatever its weights: tokenizer, prompts, licence, and the modules of
 * sentence-transformers. Throws `ERR_MODEL` if there is no tokenizer or `modules.json` is no list of folders within the
 * model.
 */
export function companions(directory: string): Companions {
  const names = readdirSync(directory).filter((name) => COPIED.test(name));
  for (const folder of moduleFolders(directory)) {
    if (!existsSync(join(directory, folder))) continue; // modules without settings, such as Normalize, have none
    const inside = readdirSync(join(directory, folder), { withFileTypes: true });
    names.push(...inside.filter((entry) => !entry.isDirectory()).map(({ name }) => `${folder}/${name}`));
  }
  const gguf = ggufOf(directory);
  const hasModules = names.includes('modules.json');
  const made = Object.entries(gguf === undefined ? {} : ggufCompanions(gguf)).filter(
    ([name]) => !names.includes(name) && !(hasModules && name.includes('/')),
  );
  if (!names.includes('tokenizer.json') && !made.some(([name]) => name === 'tokenizer.json')) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} lacks tokenizer.json: fetch it from the model's page, also for a GGUF.`,
    );
  }
  return {
    copies: Object.fromEntries(names.sort().map((name) => [name, join(directory, name)])),
    made: Object.fromEntries(made),
  };
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
