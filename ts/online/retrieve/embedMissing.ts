import type { EncodeProgress, Encoder } from '../../models/encoder.ts';
import type { Store } from '../../store/store.ts';
import type { StoredDocument, StoreModel } from '../../store/types.ts';
import { embed } from './embed.ts';

/** Documents that are encoded and committed together. */
const BATCH = 256;

export interface ReembedResult {
  documents: number;
  tokens: number;
}

/** Gives vectors of the model that is being built to every document that lacks them; progress counts over all. */
export async function embedMissing(
  store: Store,
  encoder: Encoder,
  model: StoreModel,
  options: { signal?: AbortSignal | undefined; onProgress?: ((done: EncodeProgress) => void) | undefined },
): Promise<ReembedResult> {
  const done = { documents: 0, tokens: 0 };
  let texts = 0;
  let batch: StoredDocument[] = [];
  const flush = async (): Promise<void> => {
    options.signal?.throwIfAborted();
    const { passages, tokens } = await embed(batch, encoder, {
      passages: model.passages,
      signal: options.signal,
      onProgress: (now) =>
        options.onProgress?.({ texts: texts + now.texts, tokens: done.tokens + now.tokens }),
    });
    await store.addVectors(batch.map(({ doc }, i) => ({ doc, passages: passages[i]! })));
    texts += passages.flat().length;
    done.documents += batch.length;
    done.tokens += tokens;
    batch = [];
  };
  for await (const document of store.missing()) {
    batch.push(document);
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return done;
}
