import { existsSync } from 'node:fs';
import { SeineError, show } from '../core/errors.ts';
import type { OptimizerState } from '../device/reference/adamW.ts';
import { readSafetensors, writeSafetensors } from '../graph/safetensors.ts';

/** What training goes on from. */
export interface TrainingState extends OptimizerState {
  /** Loss and gradient's length of every step so far, `[steps done]`. */
  losses: Float32Array;
  norms: Float32Array;
}

/** Writes a state; the file is replaced whole or not at all. */
export async function writeCheckpoint(path: string, identity: string, state: TrainingState): Promise<void> {
  const tensors = Object.entries(state).map(
    ([name, data]: [string, Float32Array]) => [name, { shape: [data.length], data }] as const,
  );
  await writeSafetensors(path, new Map(tensors), { identity });
}

/**
 * The state that lies at a path, or undefined. Errors: `ERR_MODEL_MISMATCH` if it belongs to another training,
 * `ERR_CORRUPT` if it is damaged.
 */
export async function readCheckpoint(
  path: string,
  identity: string,
  size: number,
): Promise<TrainingState | undefined> {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = await readSafetensors(path);
  const [parameters, mean, variance, losses, norms] = [
    'parameters',
    'mean',
    'variance',
    'losses',
    'norms',
  ].map((name) => tensors.get(name)?.data);
  const whole = [parameters, mean, variance].every((data) => data?.length === size);
  if (metadata.identity !== identity || !whole || !losses || !norms) {
    throw new SeineError(
      'ERR_MODEL_MISMATCH',
      `The checkpoint ${show(path)} should belong to this training, but it belongs to another recipe, other data or ` +
        'another model: remove it, or write to another directory.',
    );
  }
  return { parameters: parameters!, mean: mean!, variance: variance!, losses, norms };
}
