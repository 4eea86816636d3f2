import { SeineError } from '../core/errors.ts';
import type { Checkpoint } from './checkpoint.ts';

const LAYER = /(^|\.)(encoder\.layer|layers)\.(\d+)\./;

/** The number of the layer that a tensor belongs to; undefined for others. */
export function layerOf(name: string): number | undefined {
  const number = LAYER.exec(name)?.[3];
  return number === undefined ? undefined : Number(number);
}

/**
 * The checkpoint with some of its layers, rising, which become layers 0, 1, …; weights stay in their files. Errors:
 * `ERR_ARGUMENT` if they are not rising numbers of its layers.
 */
export function withLayers(checkpoint: Checkpoint, kept: readonly number[]): Checkpoint {
  const { config } = checkpoint;
  const count = config.num_hidden_layers as number;
  if (kept.some((layer, i) => layer >= count || (i > 0 && layer <= kept[i - 1]!))) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `layers should be rising numbers from 0 to ${count - 1} of the model ${checkpoint.directory}, got ` +
        `${kept.join(', ')}: correct them.`,
    );
  }
  const tensors = new Map(
    [...checkpoint.tensors].flatMap(([name, tensor]) => {
      const layer = layerOf(name);
      if (layer === undefined) return [[name, tensor] as const];
      const place = kept.indexOf(layer);
      if (place < 0) return [];
      return [[name.replace(LAYER, `$1$2.${place}.`), tensor] as const];
    }),
  );
  const { layer_types: types } = config;
  return {
    ...checkpoint,
    tensors,
    config: {
      ...config,
      num_hidden_layers: kept.length,
      ...(Array.isArray(types) && { layer_types: kept.map((layer) => types[layer]) }),
    },
  };
}
