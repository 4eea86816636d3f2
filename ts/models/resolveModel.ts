import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SeineError, show } from '../core/errors.ts';
import { isDirectory, sha256 } from '../core/files.ts';
import { WEIGHTS, weightFiles } from '../graph/checkpoint.ts';
import { externalData } from './externalData.ts';
import { ggufCompanions } from './ggufCompanions.ts';
import { downloadModel, type HubProgress, isHubName } from './hub.ts';
import { FEATURES_FILE, GRAPHS, OPTIONAL_FILES } from './layout.ts';
import { PROMPT_FILE, promptPath } from './prompt.ts';

export type ModelKind = 'embedder' | 'ranker';

/** A model on disk. Paths are absolute; plain data, so it can be sent to a worker thread. */
export interface ModelFiles {
  /** As it was asked for, or the last part of its path. */
  name: string;
  kind: ModelKind;
  directory: string;
  /** `[relative name, absolute path]` of every file of the model that Seine reads, sorted by name. */
  files: Record<string, string>;
  /** Path of the ONNX graph or, where there is none, of the first file of weights. */
  graph: string;
  /** SHA-256 over names and contents of the `files` that determine the model's output, in hexadecimal. */
  hash: string;
}

export interface ResolveOptions {
  signal?: AbortSignal | undefined;
  /** Called while a model is fetched from the hub. */
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

/**
 * Finds a model: a path, then the directories of `SEINE_MODELS`, then the models that come with Seine, then the cache,
 * then the Hugging Face hub (never if `SEINE_OFFLINE=1`). Errors: `ERR_MODEL` if it is nowhere or lacks a file.
 */
export async function resolveModel(
  nameOrPath: string,
  kind: ModelKind,
  options: ResolveOptions = {},
): Promise<ModelFiles> {
  if (typeof nameOrPath !== 'string' || nameOrPath === '') {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The ${kind} must be the name or the path of a model, got ${show(nameOrPath)}.`,
    );
  }
  const places = candidates(nameOrPath);
  const found = places.find((place) => isDirectory(place));
  if (found !== undefined) return readable(found, () => describe(nameOrPath, kind, found));
  if (isHubName(nameOrPath) && process.env.SEINE_OFFLINE !== '1') {
    const directory = join(cacheDirectory(), 'models', nameOrPath);
    await downloadModel(nameOrPath, directory, options);
    return readable(directory, () => describe(nameOrPath, kind, directory));
  }
  const hub = isHubName(nameOrPath)
    ? ', and SEINE_OFFLINE=1 forbids to ask the hub'
    : ', and the hub is asked only for names like owner/model';
  throw new SeineError(
    'ERR_MODEL',
    `The ${kind} ${JSON.stringify(nameOrPath.slice(0, 200))} should be a model's directory but there is none at ` +
      `${places.join(', ')}${hub}: correct the name, or put the model's directory into one of SEINE_MODELS.`,
  );
}

/** Where fetched models are kept: `SEINE_CACHE`, else `$XDG_CACHE_HOME/seine`, else `~/.cache/seine`. */
export function cacheDirectory(): string {
  if (process.env.SEINE_CACHE) return resolve(process.env.SEINE_CACHE);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'seine');
}

function candidates(nameOrPath: string): string[] {
  const path = resolve(nameOrPath);
  if (isAbsolute(nameOrPath) || nameOrPath.split(/[\\/]/).some((part) => part === '.' || part === '..')) {
    return [path];
  }
  const own = (process.env.SEINE_MODELS ?? '').split(delimiter).filter((directory) => directory !== '');
  const embedded = fileURLToPath(new URL('../../models', import.meta.url));
  const roots = [...own.map((directory) => resolve(directory)), embedded, join(cacheDirectory(), 'models')];
  return [path, ...roots.map((root) => join(root, nameOrPath))];
}

/** Turns what the file system says of a model into an error of the model. */
async function readable<T>(directory: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SeineError) throw error;
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} should be readable but is not (${error instanceof Error ? error.message : error}): ` +
        'check its permissions and that nothing removes it.',
      { cause: error },
    );
  }
}

async function describe(nameOrPath: string, kind: ModelKind, directory: string): Promise<ModelFiles> {
  const has = (name: string): boolean => existsSync(join(directory, name));
  const graph = GRAPHS.find(has);
  const weights = graph === undefined ? weightFiles(directory) : [];
  const isGguf = weights[0]?.endsWith('.gguf') ?? false;
  const made = isGguf ? ['config.json', ...Object.keys(ggufCompanions(join(directory, weights[0]!)))] : [];
  const missing = ['config.json', 'tokenizer.json'].filter((name) => !has(name) && !made.includes(name));
  const main = graph ?? weights[0];
  if (main === undefined) missing.push([...GRAPHS, ...WEIGHTS].join(' or '));
  missing.push(...weights.filter((name) => !has(name)));
  if (main === undefined || missing.length > 0) {
    throw new SeineError(
      'ERR_MODEL',
      `The ${kind} at ${directory} lacks ${missing.join(' and ')}: a model needs config.json, tokenizer.json and ` +
        `${[...GRAPHS, ...WEIGHTS].join(' or ')} or a .gguf file; fetch it again.`,
    );
  }
  if (graph !== undefined) weights.push(...(await graphData(directory, graph, kind)));
  const names = ['config.json', 'tokenizer.json', ...OPTIONAL_FILES].filter(has);
  names.push(...new Set([main, ...weights]));
  const paths = new Map(names.map((name) => [name, join(directory, name)]));
  if (kind === 'ranker') {
    const prompt = graph === undefined ? promptPath(directory) : undefined;
    if (prompt !== undefined) paths.set(PROMPT_FILE, prompt);
    else if (paths.has(PROMPT_FILE)) {
      throw new SeineError(
        'ERR_MODEL',
        `The ranker at ${directory} has ${PROMPT_FILE} but is no language model with weights in safetensors or GGUF: ` +
          'remove the prompt, or choose another model.',
      );
    }
  }
  const sorted = [...paths].sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256');
  const hashed = sorted.filter(([name]) => name !== FEATURES_FILE);
  for (const [name, path] of hashed) hash.update(`${name}\0${await contentHash(path)}\n`);
  return {
    name: basename(nameOrPath) === nameOrPath || isHubName(nameOrPath) ? nameOrPath : basename(directory),
    kind,
    directory,
    files: Object.fromEntries(sorted),
    graph: join(directory, main),
    hash: hash.digest('hex'),
  };
}

/** The files in which a graph keeps its weights, all of them there. */
async function graphData(directory: string, graph: string, kind: ModelKind): Promise<string[]> {
  const names = await externalData(join(directory, graph));
  const data = names.map((name) => join(dirname(graph), name).replaceAll('\\', '/'));
  const missing = data.find((name) => !existsSync(join(directory, name)));
  if (missing === undefined) return data;
  throw new SeineError(
    'ERR_MODEL',
    `The ${kind} at ${directory} lacks ${missing}, where ${graph} keeps its weights: fetch the model again.`,
  );
}

/** Hashes of files by path, size and time of change: a process that opens a model again need not read it again. */
const hashes = new Map<string, Promise<string>>();

async function contentHash(path: string): Promise<string> {
  const { size, mtimeNs, ino } = await stat(path, { bigint: true });
  const key = `${path}\0${size}\0${mtimeNs}\0${ino}`;
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const hash = sha256(path);
  hashes.set(key, hash);
  hash.catch(() => hashes.delete(key));
  return hash;
}
