import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SeineError, show } from '../core/errors.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { readJson } from './tokenizer.ts';

/** What a language model is asked about a pair. */
export interface Prompt {
  /** Where it lies, for errors. */
  path: string;
  /** Text before, between and behind the two placeholders; that of the instruction is filled in. */
  before: string;
  between: string;
  behind: string;
  /** Words that answer whether the document is relevant. */
  labels: { yes: string; no: string };
}

/** The prompt in a model's directory. */
export const PROMPT_FILE = 'prompt.json';

/** Prompts that come with Seine, by the type of a model that brings none. */
const SHIPPED: Readonly<Record<string, string>> = {
  llama: 'chatMl',
  qwen2: 'chatMl',
  qwen3: 'qwen3Reranker',
};
const FIELDS = ['template', 'instruct', 'labels'];

/**
 * Path of the prompt by which a model is asked as a ranker: the one in its directory, or the one that comes with Seine
 * for its type; `undefined` if it is no language model. Errors: those of `openCheckpoint`.
 */
export function promptPath(directory: string): string | undefined {
  const { config } = openCheckpoint(directory);
  const named: unknown[] = Array.isArray(config.architectures) ? config.architectures : [];
  if (!named.some((name) => String(name).endsWith('ForCausalLM'))) return undefined;
  const own = join(directory, PROMPT_FILE);
  if (existsSync(own)) return own;
  const type = String(config.model_type);
  if (!Object.hasOwn(SHIPPED, type)) return undefined;
  return fileURLToPath(new URL(`./prompts/${SHIPPED[type]}.json`, import.meta.url));
}

/**
 * Reads a prompt: `template`, lines with the placeholders `{query}` and, behind it, `{document}`, once each, and
 * `{instruct}` where the prompt gives an `instruct`; `labels`, the words `yes` and `no`. Errors: `ERR_MODEL` names
 * what is missing or not known.
 */
export async function readPrompt(path: string): Promise<Prompt> {
  const json = await readJson(path);
  const wrong = (what: string): SeineError =>
    new SeineError('ERR_MODEL', `The prompt ${path} ${what}: correct it.`);
  const unknown = Object.keys(json).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw wrong(`has a field ${show(unknown)}, which no prompt has; there are: ${FIELDS.join(', ')}`);
  }
  const { template, instruct, labels } = json;
  if (!Array.isArray(template) || !template.every((line) => typeof line === 'string')) {
    throw wrong(`should give template as an array of lines, got ${show(template)}`);
  }
  if (instruct !== undefined && typeof instruct !== 'string') {
    throw wrong(`should give instruct as a string, got ${show(instruct)}`);
  }
  const text = template.join('\n');
  const found = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const known = ['instruct', 'query', 'document'];
  const other = found.find((name) => !known.includes(name));
  if (other !== undefined) {
    throw wrong(`has a placeholder {${other}}, which is not known; there are: {${known.join('}, {')}}`);
  }
  for (const name of ['query', 'document']) {
    const times = found.filter((one) => one === name).length;
    if (times !== 1) throw wrong(`should have the placeholder {${name}} once, but has it ${times} times`);
  }
  if (found.includes('instruct') !== (instruct !== undefined)) {
    throw wrong(
      instruct === undefined
        ? 'has the placeholder {instruct} but gives no instruct'
        : 'gives instruct but has no placeholder {instruct}',
    );
  }
  const filled = (part: string): string => part.replaceAll('{instruct}', () => instruct ?? '');
  const [head, rest] = text.split('{query}') as [string, string];
  const [between, behind] = rest.split('{document}') as [string, string | undefined];
  if (behind === undefined) {
    throw wrong('should have {query} before {document}, so that what is before a document is read once');
  }
  return {
    path,
    before: filled(head),
    between: filled(between),
    behind: filled(behind),
    labels: {
      yes: labelOf(labels, 'yes', wrong),
      no: labelOf(labels, 'no', wrong),
    },
  };
}

function labelOf(labels: unknown, name: 'yes' | 'no', wrong: (what: string) => SeineError): string {
  const word =
    typeof labels === 'object' && labels !== null ? (labels as Record<string, unknown>)[name] : undefined;
  if (typeof word === 'string' && word !== '') return word;
  throw wrong(`should give labels.${name} as a word, got ${show(word)}`);
}
