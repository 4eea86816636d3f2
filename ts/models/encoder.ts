import { SeineError, show } from '../core/errors.ts';
import type {
  Encoded,
  EncodeOptions,
  Encoder,
  OpenModelOptions,
  TextReading,
  TextWindow,
} from './contracts.ts';
import { featuresIn } from './featureWeights.ts';
import { hashAt } from './hashAt.ts';
import type { EmbedderInfo } from './inferenceProtocol.ts';
import { InferenceThread } from './inferenceThread.ts';
import { resolveModel } from './resolveModel.ts';

export type * from './contracts.ts';

/**
 * Opens a bi-encoder by name or path (see `resolveModel`) in a worker thread. Errors: `ERR_MODEL` if it cannot be
 * found or its files do not fit each other, `ERR_DEVICE_UNAVAILABLE` if the provider is not there.
 */
export async function openEncoder(nameOrPath: string, options: OpenModelOptions = {}): Promise<Encoder> {
  const files = await resolveModel(nameOrPath, 'embedder');
  const hash = hashAt(files, options.precision);
  const features = await featuresIn(files);
  const thread = await InferenceThread.open<EmbedderInfo>({ files, options });
  return {
    name: files.name,
    hash,
    dim: thread.info.dim,
    matryoshka: thread.info.matryoshka,
    maxTokens: thread.info.maxTokens,
    features,
    async encode(texts, { kind, background = false, signal, onProgress }) {
      requireTexts(texts, 'texts');
      requireKind(kind);
      return thread.call<Encoded>({ encode: { texts, kind, background } }, { signal, onProgress });
    },
    async windows(text, { maxTokens, overlap }) {
      requireTexts([text], 'text');
      if (!Number.isInteger(maxTokens) || maxTokens < 8) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `maxTokens of a window must be at least 8, got ${show(maxTokens)}.`,
        );
      }
      if (!Number.isInteger(overlap) || overlap < 0 || overlap >= maxTokens) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `overlap of windows must be a whole number from 0 to maxTokens - 1, got ${show(overlap)}.`,
        );
      }
      return thread.call<TextWindow[]>({ windows: { text, maxTokens, overlap } });
    },
    async read(texts, kind) {
      requireTexts(texts, 'texts');
      requireKind(kind);
      return thread.call<TextReading[]>({ read: { texts, kind } });
    },
    failed: thread.failed,
    close: () => thread.close(),
  };
}

function requireKind(kind: EncodeOptions['kind']): void {
  if (kind !== 'query' && kind !== 'document') {
    throw new SeineError('ERR_ARGUMENT', `kind must be 'query' or 'document', got ${show(kind)}.`);
  }
}

/** Throws `ERR_ARGUMENT` naming the index of what is no string. */
export function requireTexts(texts: readonly unknown[], name: string): void {
  if (!Array.isArray(texts)) {
    throw new SeineError('ERR_ARGUMENT', `${name} must be an array of strings, got ${show(texts)}.`);
  }
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be strings, got ${show(texts[wrong])} at index ${wrong}.`,
    );
  }
}
