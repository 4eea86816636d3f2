import type { Document } from '../../core/types.ts';
import type { EncodeProgress, Encoder, TextWindow } from '../../models/encoder.ts';

/** A passage of a document's text and its vector `[dim]`. */
export interface EmbeddedPassage extends TextWindow {
  vector: Float32Array;
}

export interface EmbedOptions {
  /** Cut long texts into windows that overlap, instead of one vector of the head. */
  passages: boolean;
  /** Steps back behind queries. */
  background?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

export interface Embedded {
  /** Per document, in order; never empty: a document without words has one passage. */
  passages: EmbeddedPassage[][];
  tokens: number;
  /** Vectors whose text was cut to the model's length. */
  truncated: number;
}

/** What a model reads of a document: its title, if it has one, before the text or passage. */
export function modelText(title: string | undefined, text: string): string {
  return title === undefined || title === '' ? text : `${title} ${text}`;
}

/** Documents to vectors: of the head, or of windows of three quarters of the model's length that share a quarter. */
export async function embed(
  documents: Document[],
  encoder: Encoder,
  options: EmbedOptions,
): Promise<Embedded> {
  const windows: TextWindow[][] = [];
  // One after another, so that a query's encoding need not wait for all of them.
  for (const { text } of documents) {
    options.signal?.throwIfAborted();
    windows.push(await cut(text, encoder, options.passages));
  }
  const texts = documents.flatMap(({ title, text }, i) =>
    windows[i]!.map(({ start, end }) => modelText(title, text.slice(start, end))),
  );
  const { vectors, tokens, truncated } = await encoder.encode(texts, {
    kind: 'document',
    background: options.background,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  let at = 0;
  const next = (): Float32Array => vectors.slice(encoder.dim * at, encoder.dim * ++at);
  return {
    passages: windows.map((list) => list.map((window) => ({ ...window, vector: next() }))),
    tokens,
    truncated,
  };
}

async function cut(text: string, encoder: Encoder, passages: boolean): Promise<TextWindow[]> {
  const whole = [{ start: 0, end: text.length }];
  if (!passages) return whole;
  // A quarter of the length is left for the title.
  const maxTokens = Math.max(8, Math.floor(encoder.maxTokens * 0.75));
  const windows = await encoder.windows(text, { maxTokens, overlap: Math.floor(maxTokens / 4) });
  return windows.length === 0 ? whole : windows;
}
