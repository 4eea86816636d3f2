import type { Device } from './device/device.ts';
import type { CrossEncoder } from './models/crossEncoder.ts';
import type { Encoder } from './models/encoder.ts';
import type { ScoreCache } from './online/rank/scoreCache.ts';
import type { Collection } from './online/retrieve/collection.ts';
import type { Store } from './store/store.ts';
import type { StoreInfo, StoreModel } from './store/types.ts';

/** What an index is made of; it closes all of it. */
export interface IndexParts {
  store: Store;
  /** The same file, for the reads of searches. */
  reader: Store;
  device: Device;
  collection: Collection;
  encoder: Encoder;
  ranker: CrossEncoder | undefined;
  scoreCache: ScoreCache | undefined;
  /** The embedder as the index records it. */
  model: StoreModel;
  readonly: boolean;
}

/** What an index was opened with. */
export interface IndexModels {
  device: string;
  /** The opened one, also while the index is empty and has no model yet. */
  embedder: Pick<Encoder, 'name' | 'hash' | 'dim' | 'matryoshka' | 'maxTokens' | 'features'>;
  ranker: string | undefined;
}

export type IndexInfo = StoreInfo & IndexModels;

export function modelsOf({ device, encoder, ranker }: IndexParts): IndexModels {
  const { name, hash, dim, matryoshka, maxTokens, features } = encoder;
  return {
    device: `${device.name} (${device.description})`,
    embedder: { name, hash, dim, matryoshka, maxTokens, features },
    ranker: ranker?.name,
  };
}
