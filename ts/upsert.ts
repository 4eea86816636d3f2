import { setImmediate } from 'node:timers/promises';
import { checkFeatureValues } from './checkFeatures.ts';
import type { Document } from './core/types.ts';
import type { EncodeProgress, Encoder } from './models/encoder.ts';
import { embed } from './online/retrieve/embed.ts';
import type { Store } from './store/store.ts';
import type { EncodedDocument, StoreModel, WriteResult } from './store/types.ts';

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** Called when the writes before this one are done. */
  onStart?: (() => void) | undefined;
  /** Lets queries go first: for a writer beside searches that must stay quick. */
  background?: boolean | undefined;
  /** Called as texts are encoded. */
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

/** Documents that are taken up at once, so that no step holds up the event loop for long. */
const PAGE = 2048;

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
  checkFeatureValues(documents, encoder);
  const unchanged = await store.unchanged(documents);
  // Of several documents with one id the last counts, so one that is stored already may not be left out alone.
  const ids = new Set(documents.filter((_, i) => !unchanged[i]).map(({ id }) => id));
  const changed = documents.filter(({ id }) => ids.has(id));
  const encoded: EncodedDocument[] = [];
  const done = { texts: 0, tokens: 0, truncated: 0 };
  for (let start = 0; start < changed.length; start += PAGE) {
    const page = changed.slice(start, start + PAGE);
    const before = { ...done };
    const { passages, tokens, truncated } = await embed(page, encoder, {
      ...options,
      passages: model.passages,
      onProgress: ({ texts, tokens }) => {
        done.texts = before.texts + texts;
        options.onProgress?.({ texts: done.texts, tokens: before.tokens + tokens });
      },
    });
    for (const [i, document] of page.entries()) encoded.push({ ...document, passages: passages[i]! });
    done.tokens = before.tokens + tokens;
    done.truncated += truncated;
    if (encoded.length < changed.length) await setImmediate();
  }
  await store.setModel(model);
  const result = await store.upsert(encoded);
  const { tokens, truncated } = done;
  return { ...result, unchanged: result.unchanged + documents.length - changed.length, tokens, truncated };
}
