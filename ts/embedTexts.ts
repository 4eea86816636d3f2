import { SeineError, show } from './core/errors.ts';
import type { Encoded, Encoder } from './models/encoder.ts';

export interface EmbedTextsOptions {
  /** In short batches, between which queries go first. */
  background?: boolean | undefined;
  /** Rejects the call with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Vectors `[texts, dim]`, in the order of the texts, and what they cost. */
export interface EmbedTextsResult extends Encoded {
  dim: number;
  /** Name of the embedder. */
  model: string;
}

const OPTIONS = ['background', 'signal'];

/** Embeds texts as they are, as queries or as documents. */
export async function embedTexts(
  texts: string[],
  kind: 'query' | 'document',
  encoder: Encoder,
  options: EmbedTextsOptions,
): Promise<EmbedTextsResult> {
  if (typeof options !== 'object' || options === null) {
    throw new SeineError('ERR_ARGUMENT', `The options must be an object, got ${show(options)}.`);
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `There is no option ${show(unknown)}; there are: ${OPTIONS.join(', ')}.`,
    );
  }
  const { background = false, signal } = options;
  if (typeof background !== 'boolean') {
    throw new SeineError('ERR_ARGUMENT', `background must be true or false, got ${show(background)}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeineError('ERR_ARGUMENT', `signal must be an AbortSignal, got ${show(signal)}.`);
  }
  const { dim, name: model } = encoder;
  return { ...(await encoder.encode(texts, { kind, background, signal })), dim, model };
}
