import { SeineError } from '../../core/errors.ts';
import { nextTurn } from '../../core/nextTurn.ts';
import type { Random } from '../../core/random.ts';
import type { Checkpoint } from '../../graph/checkpoint.ts';
import type { CheckpointTensor } from '../../graph/checkpointTensor.ts';
import { familyOf } from '../../graph/families/familyOf.ts';
import { ModelConfig } from '../../graph/modelConfig.ts';
import type { NamedTensor } from '../../graph/safetensors.ts';
import type { ModelContent } from '../../models/writeModelDirectory.ts';
import type { Calibration } from './calibration.ts';
import { gramMatrices } from './gramMatrices.ts';
import type { Method } from './method.ts';
import { finder, pruneUnits } from './pruneUnits.ts';
import { headsOf, headWidth, neuronsOf } from './units.ts';

/** Units of each layer before and after, and what the layers' outputs lost: `‖XW − XŴ‖² / ‖XW‖²`. */
export interface WidthSummary {
  before: number;
  after: number;
  errors: number[];
}

export interface WidthOptions {
  /** Shares of neurons and of groups of heads that are left out. */
  neurons: number;
  heads: number;
  method: Method;
  random: Random;
  signal?: AbortSignal | undefined;
  onProgress: (stage: string, done: number, total: number) => void;
}

export interface Thin {
  model: ModelContent;
  neurons?: WidthSummary;
  heads?: WidthSummary;
}

/** Leaves out the same number of neurons and of groups of heads in every layer, as the calibration texts say. */
export async function pruneWidths(
  checkpoint: Checkpoint,
  calibration: Calibration,
  { neurons, heads, method, random, signal, onProgress }: WidthOptions,
): Promise<Thin> {
  const { directory } = checkpoint;
  const config = new ModelConfig(checkpoint.config, directory);
  const find = finder(checkpoint, familyOf(config, directory).prefix);
  const layers = Array.from({ length: config.count('num_hidden_layers') }, (_, layer) => layer);
  const parts = [
    { kind: 'neurons' as const, share: neurons, unitsOf: neuronsOf },
    { kind: 'heads' as const, share: heads, unitsOf: headsOf },
  ]
    .filter(({ share }) => share > 0)
    .map(({ kind, share, unitsOf }) => {
      const units = layers.map((layer) => unitsOf(config, layer));
      const { count } = units[0]!;
      const keep = Math.max(1, Math.round(count * (1 - share)));
      if (keep < count) return { kind, units, count, keep };
      throw new SeineError(
        'ERR_ARGUMENT',
        `${kind} should be a share that leaves out some of the ${count} of a layer, and not all, but ${share} leaves ` +
          'out none: give a larger share, or leave it out.',
      );
    });
  const tensors = new Map<string, NamedTensor | CheckpointTensor>(checkpoint.tensors);
  const fields: Record<string, unknown> = { ...checkpoint.config };
  const thin: Thin = { model: { directory, config: fields, tensors } };
  if (parts.length === 0) return thin;

  let read = 0;
  const matrices = parts.flatMap(({ units }) => units.map(({ output }) => output));
  const grams = await gramMatrices(checkpoint, calibration, matrices, {
    signal,
    onTokens(tokens) {
      read += tokens;
      onProgress('calibrate', read, calibration.tokens);
    },
  });
  for (const { kind, units, count, keep } of parts) {
    const errors: number[] = [];
    let done = 0;
    for (const part of units) {
      await nextTurn(); // an interruption must be heard
      signal?.throwIfAborted();
      const onUnit = (): void => onProgress(kind, ++done, layers.length * (count - keep));
      const pruned = pruneUnits(part, grams.get(part.output)!, keep, find, { method, random, onUnit });
      for (const [name, tensor] of pruned.tensors) tensors.set(name, tensor);
      errors.push(pruned.error);
    }
    thin[kind] = { before: count, after: keep, errors };
  }
  if (thin.neurons) fields.intermediate_size = thin.neurons.after;
  if (thin.heads) {
    const members = config.count('num_attention_heads') / thin.heads.before;
    fields.head_dim = headWidth(config);
    fields.num_attention_heads = thin.heads.after * members;
    fields.num_key_value_heads = thin.heads.after;
  }
  return thin;
}
