import { SeineError } from '../core/errors.ts';
import type { StoreInfo, StoreModel } from './types.ts';

/** Refuses (ERR_MODEL_MISMATCH) a model whose vectors cannot be compared with those of the index. */
export function checkModel(info: StoreInfo, model: Pick<StoreModel, 'name' | 'hash' | 'dim'>): void {
  const stored = info.model;
  if (stored === undefined || (stored.hash === model.hash && stored.dim === model.dim)) return;
  throw new SeineError(
    'ERR_MODEL_MISMATCH',
    `The index ${info.path} was built with ${describe(stored)}, but the model opened is ${describe(model)}: ` +
      `open the index with ${stored.name}, or embed it anew under the other model.`,
  );
}

function describe(model: Pick<StoreModel, 'name' | 'hash' | 'dim'>): string {
  return `${model.name} (hash ${model.hash.slice(0, 12)}, dimension ${model.dim})`;
}
