import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { editJson } from '../core/editJson.ts';
import { SeineError } from '../core/errors.ts';
import { writeAtomic } from '../core/files.ts';
import { openCheckpoint, parametersOf } from '../graph/checkpoint.ts';
import type { CheckpointTensor } from '../graph/checkpointTensor.ts';
import type { NamedTensor } from '../graph/safetensors.ts';
import type { Head } from '../graph/writeTransformer.ts';
import { companions } from './companions.ts';
import { configText } from './configText.ts';
import { headOf } from './headOf.ts';
import { writeGraph } from './writeGraph.ts';
import { writeModelFiles } from './writeModelFiles.ts';

/** A model as it is to be written; a `Checkpoint` is one. */
export interface ModelContent {
  /** Where its tokenizer and the like lie. */
  readonly directory: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Under the names of Hugging Face. */
  readonly tensors: ReadonlyMap<string, NamedTensor | CheckpointTensor>;
}

export interface WriteModelOptions {
  signal?: AbortSignal | undefined;
  onTensor?: ((done: number) => void) | undefined;
}

export interface WrittenModel {
  /** What `onnx/model.onnx` gives out. */
  head: Head['kind'];
  parameters: number;
  /** Relative name -> bytes. */
  files: Record<string, number>;
}

/**
 * Writes a model's directory, which appears whole or not at all: `model.safetensors`, `config.json`, the tokenizer,
 * the modules of sentence-transformers and `onnx/model.onnx`, whose batch and length are free. Halves stay halves,
 * blocks of codes become float32. Errors: `ERR_ARGUMENT` if `target` is there, `ERR_MODEL` if the model cannot be
 * written so, `ERR_DISK` if the disk refuses.
 */
export async function writeModelDirectory(
  model: ModelContent,
  target: string,
  options: WriteModelOptions = {},
): Promise<WrittenModel> {
  const directory = resolve(target);
  requireNew(directory);
  const head = headOf(model);
  const { copies, made } = companions(model.directory);
  const config = portableConfig(model);
  const staging = `${directory}.${randomUUID()}.partial`;
  try {
    const { signal } = options;
    const content = { tensors: model.tensors, files: { ...made, 'config.json': config }, copies };
    await writeModelFiles(staging, content, options);
    signal?.throwIfAborted();
    const checkpoint = openCheckpoint(staging);
    const { external } = await writeGraph(checkpoint, head);
    if (external) {
      const how = { 'transformers.js_config': { use_external_data_format: true } };
      await writeAtomic(join(staging, 'config.json'), editJson(config, how));
    }
    signal?.throwIfAborted();
    const files = await sizes(staging);
    requireNew(directory);
    await rename(staging, directory);
    return { head: head.kind, parameters: parametersOf(checkpoint), files };
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the first failure is the one to tell
    if (!isFileError(error)) throw error;
    throw new SeineError(
      'ERR_DISK',
      `The model should be written to ${directory} but cannot (${error.message}): free space there, or name another ` +
        'directory.',
      { cause: error },
    );
  }
}

const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && !(error instanceof SeineError) && 'syscall' in error;

/** Throws `ERR_ARGUMENT` if there is something at this path. */
export function requireNew(directory: string): void {
  if (!existsSync(directory)) return;
  throw new SeineError(
    'ERR_ARGUMENT',
    `${directory} should be a new directory but is there already: name another one, or remove it.`,
  );
}

/** `config.json` as every reader takes it: without what only a GGUF says, and with the type that the numbers have. */
function portableConfig({ config, directory, tensors }: ModelContent): string {
  const { rope_frequency_factors: factors, torch_dtype, dtype, ...fields } = config;
  if (factors !== undefined && fields.rope_scaling === undefined && fields.rope_parameters === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} needs config.json with rope_scaling, for its GGUF gives no more than the factors: ` +
        "fetch it from the model's page.",
    );
  }
  const isHalf = (type: string): boolean =>
    [...tensors.values()].every((tensor) => 'format' in tensor && tensor.format === type);
  const type = isHalf('F16') ? 'float16' : isHalf('BF16') ? 'bfloat16' : 'float32';
  return configText(directory, { ...fields, torch_dtype: type });
}

async function sizes(directory: string): Promise<Record<string, number>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(directory.length + 1)
        .replaceAll('\\', '/'),
    );
  const sized = names.sort().map(async (name) => [name, (await stat(join(directory, name))).size] as const);
  return Object.fromEntries(await Promise.all(sized));
}
