import { performance } from 'node:perf_hooks';
import { SeineError, show } from '../core/errors.ts';
import type { CrossEncoder, OpenModelOptions, PairReading, Scored, TextHeads } from './contracts.ts';
import { requireTexts } from './encoder.ts';
import { hashAt } from './hashAt.ts';
import type { PairScorerInfo } from './inferenceProtocol.ts';
import { InferenceThread } from './inferenceThread.ts';
import { resolveModel } from './resolveModel.ts';

export type { CrossEncoder, Scored, ScoreOptions } from './contracts.ts';

/**
 * Opens a cross-encoder or a language model by name or path (see `resolveModel`) in a worker thread. Errors: `ERR_MODEL` if it cannot be
 * found or its files do not fit each other, `ERR_DEVICE_UNAVAILABLE` if the provider is not there.
 */
export async function openCrossEncoder(
  nameOrPath: string,
  options: OpenModelOptions = {},
): Promise<CrossEncoder> {
  const files = await resolveModel(nameOrPath, 'ranker');
  const hash = hashAt(files, options.precision, options.objective);
  const thread = await InferenceThread.open<PairScorerInfo>({ files, options });
  return {
    name: files.name,
    hash,
    maxTokens: thread.info.maxTokens,
    blend: thread.info.blend,
    async score(query, documents, { background = false, signal, deadline } = {}) {
      requireTexts([query], 'query');
      requireDocuments(documents);
      const score = { query, documents, background, deadline: epoch(deadline) };
      return thread.call<Scored>({ score }, { signal });
    },
    async read(query, document) {
      requireTexts([query], 'query');
      requireTexts([document], 'document');
      return thread.call<PairReading>({ readPair: { query, document } });
    },
    async heads(texts, maxTokens, { signal, deadline } = {}) {
      requireTexts(texts, 'texts');
      if (!Number.isInteger(maxTokens) || maxTokens < 1) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `maxTokens must be a positive whole number, got ${show(maxTokens)}.`,
        );
      }
      return thread.call<TextHeads>({ heads: { texts, maxTokens, deadline: epoch(deadline) } }, { signal });
    },
    failed: thread.failed,
    close: () => thread.close(),
  };
}

function requireDocuments(documents: readonly unknown[]): void {
  const wrong = Array.isArray(documents)
    ? documents.findIndex(
        (one) => typeof one !== 'string' && !(one instanceof Float32Array && one.every(Number.isFinite)),
      )
    : 0;
  if (wrong < 0) return;
  const got = Array.isArray(documents) ? `${show(documents[wrong])} at index ${wrong}` : show(documents);
  throw new SeineError(
    'ERR_ARGUMENT',
    `documents must be an array of strings, or of Float32Arrays of finite numbers, got ${got}.`,
  );
}

/** Milliseconds since 1970 of a time on `performance.now()`'s clock. */
function epoch(time: number | undefined): number | undefined {
  return time === undefined ? undefined : performance.timeOrigin + time;
}
