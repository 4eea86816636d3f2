import type { Document } from './core/types.ts';
import type { EncodeProgress, Encoder } from './models/encoder.ts';
import { embed } from './online/retrieve/embed.ts';
import type { Store } from './store/store.ts';
import type { StoreModel, WriteResult } from './store/types.ts';

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** Called when the writes before this one are done. */
  onStart?: (() => void) | undefined;
  /** Lets queries go first: for a writer beside searches that must stay quick. */
  background?: boolean | undefined;
  /** Called as texts are encoded. */
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

export interface UpsertResult extends WriteResult {
  /** Tokens that went through the embedder: unchanged documents cost none. */
  tokens: number;
  /** Vectors of which the text was cut to the embedder's length. */
  truncated: number;
}

/** Embeds and stores the documents that are not stored with the same content already. */
export async function upsert(
  documents: Document[],
  { store, encoder, model }: { store: Store; encoder: Encoder; model: StoreModel },
  options: WriteOptions,
): Promise<UpsertResult> {
  options.signal?.throwIfAborted();
  options.onStart?.();
  const unchanged = await store.unchanged(documents);
  // Of several documents with one id the last counts, so one that is stored already may not be left out alone.
  const ids = new Set(documents.filter((_, i) => !unchanged[i]).map(({ id }) => id));
  const changed = documents.filter(({ id }) => ids.has(id));
  const { passages, tokens, truncated } = await embed(changed, encoder, {
    ...options,
    passages: model.passages,
  });
  const encoded = changed.map((document, i) => ({ ...document, passages: passages[i]! }));
  await store.setModel(model);
  const result = await store.upsert(encoded);
  return { ...result, unchanged: result.unchanged + documents.length - changed.length, tokens, truncated };
}
