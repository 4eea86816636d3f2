import { SeineError } from '../core/errors.ts';
import { ggufCompanions } from './ggufCompanions.ts';
import { type Pooling, poolingMode } from './pooling.ts';
import type { ModelFiles } from './resolveModel.ts';
import { readJson } from './tokenizer.ts';

/** Kinds of the model's modules in their order, without their package's name; `undefined` without `modules.json`. */
export async function readModules(files: ModelFiles): Promise<string[] | undefined> {
  const path = files.files['modules.json'];
  if (path === undefined) return undefined;
  const modules = Object.values(await readJson(path, 'array'));
  return modules.map((module) =>
    typeof module === 'object' && module !== null && 'type' in module
      ? String(module.type).replace(/^.*\./, '')
      : String(module),
  );
}

/**
 * How token vectors become the text's, as `1_Pooling/config.json` says; without `modules.json` as a GGUF says, else by
 * their mean.
 */
export async function readPooling(
  files: ModelFiles,
  modules: readonly string[] | undefined,
): Promise<Pooling> {
  if (modules === undefined) {
    const made = files.graph.endsWith('.gguf') ? ggufCompanions(files.graph) : {};
    const pooling = made['1_Pooling/config.json'];
    return pooling === undefined ? 'mean' : poolingMode({ ...pooling }, files.graph);
  }
  const other = modules.filter((type) => !['Transformer', 'Pooling', 'Normalize'].includes(type));
  const path = files.files['1_Pooling/config.json'];
  if (other.length > 0 || path === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `The encoder ${files.name} should consist of Transformer, Pooling (with 1_Pooling/config.json) and Normalize, ` +
        `but modules.json lists ${modules.join(', ')}: export it with all modules in the graph, as sentence_embedding.`,
    );
  }
  const config = await readJson(path);
  if (config.include_prompt === false) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should have include_prompt true, for pooling without the prompt is not supported: choose another model.`,
    );
  }
  return poolingMode(config, path);
}

/** What is put before queries and documents; empty if the model has no prompts. */
export async function readPrompts(files: ModelFiles): Promise<Record<'query' | 'document', string>> {
  const path = files.files['config_sentence_transformers.json'];
  const config = path === undefined ? {} : await readJson(path);
  const prompts = typeof config.prompts === 'object' && config.prompts !== null ? config.prompts : {};
  const named = new Map<unknown, unknown>(Object.entries(prompts));
  // The names that sentence-transformers itself looks for, then the model's default.
  const first = (...names: unknown[]): string => {
    const prompt = [...names, config.default_prompt_name]
      .map((name) => named.get(name))
      .find((p) => p !== undefined);
    return typeof prompt === 'string' ? prompt : '';
  };
  return { query: first('query'), document: first('document', 'passage', 'corpus') };
}
