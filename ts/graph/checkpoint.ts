import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SeineError, show } from '../core/errors.ts';
import type { CheckpointTensor } from './checkpointTensor.ts';
import { readGguf } from './gguf.ts';
import { ggufNames } from './ggufNames.ts';
import { readSafetensorsHeader } from './safetensorsHeader.ts';

/** Where weights lie: the first of these that is there, else the one GGUF file of the directory. */
export const WEIGHTS = ['model.safetensors', 'model.safetensors.index.json'] as const;

/** A model's configuration and weights as they lie in its directory, under the names of Hugging Face. */
export interface Checkpoint {
  readonly directory: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Where the files of weights really lie: caches of models link to them. */
  readonly weightsFolder: string;
}

/** Names of the files of a directory that hold weights; empty if there are none. Throws `ERR_MODEL` for several GGUFs. */
export function weightFiles(directory: string): string[] {
  const [whole, index] = WEIGHTS;
  if (existsSync(join(directory, whole))) return [whole];
  if (existsSync(join(directory, index))) return [index, ...new Set(Object.values(shards(directory)))].sort();
  const ggufs = readdirSync(directory).filter((name) => name.endsWith('.gguf'));
  if (ggufs.length > 1) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} should have one GGUF file but has ${ggufs.sort().join(', ')}: keep the one to be used.`,
    );
  }
  return ggufs;
}

/**
 * Opens the safetensors or the GGUF file of a model's directory; weights stay where they are. A GGUF needs no
 * `config.json`, but one that is there decides. Errors: `ERR_MODEL`, `ERR_NOT_FOUND`, `ERR_CORRUPT`.
 */
export function openCheckpoint(directory: string): Checkpoint {
  const files = weightFiles(directory);
  const first = files[0];
  if (first === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} has no weights: it needs ${WEIGHTS.join(', ')} or a .gguf file.`,
    );
  }
  const weightsFolder = folderOf(directory, files);
  const path = join(directory, 'config.json');
  const config = existsSync(path) ? readJson(path) : undefined;
  if (first.endsWith('.gguf')) {
    const own = ggufNames(readGguf(realpath(join(directory, first))), join(directory, first));
    if (config !== undefined && !own.types.includes(config.model_type as string)) {
      throw new SeineError(
        'ERR_MODEL',
        `${path} is of the type ${show(config.model_type)} and ${first} of ${own.types.join(' or ')}, so they do not ` +
          'belong together: fetch both again.',
      );
    }
    // Where the type of the weights is another, so are the numbers that go with it.
    const same = config?.model_type === own.config.model_type;
    const merged = same ? { ...own.config, ...config } : { ...config, ...own.config };
    return { directory, config: merged, tensors: own.tensors, weightsFolder };
  }
  if (config === undefined) {
    throw new SeineError('ERR_MODEL', `The model at ${directory} lacks config.json: fetch it again.`);
  }
  const tensors = new Map<string, CheckpointTensor>();
  for (const file of files.filter((name) => name.endsWith('.safetensors'))) {
    for (const [name, tensor] of readSafetensorsHeader(realpath(join(directory, file))).tensors)
      tensors.set(name, tensor);
  }
  return { directory, config, tensors, weightsFolder };
}

/** How many numbers the tensors hold. */
export const parametersOf = ({ tensors }: Checkpoint): number =>
  [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);

/** The one folder of the files, links followed: ONNX Runtime reads weights beside each other only. */
function folderOf(directory: string, files: readonly string[]): string {
  const folders = new Set(
    files.filter((file) => !file.endsWith('.json')).map((file) => dirname(realpath(join(directory, file)))),
  );
  if (folders.size === 1) return [...folders][0]!;
  throw new SeineError(
    'ERR_MODEL',
    `The files of weights at ${directory} should lie in one folder but are links into ${[...folders].join(', ')}: ` +
      'copy them into one.',
  );
}

/** Follows links. */
function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `A file of weights should be readable at ${path}: fetch the model again.`,
      {
        cause,
      },
    );
  }
}

/** Tensor -> file, of an index of several safetensors files. */
function shards(directory: string): Record<string, string> {
  const path = join(directory, WEIGHTS[1]);
  const { weight_map: map } = readJson(path);
  const names = typeof map === 'object' && map !== null ? Object.values(map) : [];
  if (
    names.length === 0 ||
    !names.every((name) => typeof name === 'string' && /^[^/\\]+\.safetensors$/.test(name))
  ) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should give weight_map, from tensors to safetensors files beside it: fetch the model again.`,
    );
  }
  return map as Record<string, string>;
}

function readJson(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw new SeineError('ERR_MODEL', `${path} should be JSON but is not: fetch the model again.`, { cause });
  }
  throw new SeineError('ERR_MODEL', `${path} should hold an object: fetch the model again.`);
}
