import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkFeatures } from './checkFeatures.ts';
import { DEFAULT_EMBEDDER, DEFAULT_RANKER } from './core/defaults.ts';
import { SeineError, show } from './core/errors.ts';
import type { Device } from './device/device.ts';
import { native } from './device/native.ts';
import { type DeviceChoice, openDevice } from './device/openDevice.ts';
import type { Precision } from './models/contracts.ts';
import { openCrossEncoder } from './models/crossEncoder.ts';
import { type Encoder, openEncoder } from './models/encoder.ts';
import { type FeatureWeights, featuresOf } from './models/featureWeights.ts';
import type { Provider } from './models/session.ts';
import { ScoreCache } from './online/rank/scoreCache.ts';
import { Collection } from './online/retrieve/collection.ts';
import { SeineIndex } from './seineIndex.ts';
import { checkModel } from './store/checkModel.ts';
import { ScoreTier } from './store/scoreTier.ts';
import { Store } from './store/store.ts';
import type { StoreInfo, StoreModel } from './store/types.ts';

export interface OpenOptions {
  /** Path or name of the embedder: by default the one that the index was built with, or `seine-embed-small`. */
  embedder?: string | undefined;
  /** Path or name of the cross-encoder or language model, `seine-rank-small` by default; `'none'` keeps the order of retrieval. */
  ranker?: string | undefined;
  /** Of the ranker's matrices, `'f32'` by default; others only for a ranker without an ONNX graph. */
  precision?: Precision | undefined;
  /** Where exact search runs, `'auto'` by default. */
  device?: DeviceChoice | undefined;
  /** With device 'cuda': the GPUs that share the search, by their number from 0. By default the first that can be used. */
  devices?: readonly number[] | undefined;
  /** Opens an index that is there, beside a process that writes to it. */
  readonly?: boolean | undefined;
  /** Tokens that the embedder reads of a text; an index keeps what it was built with. */
  maxTokens?: number | undefined;
  /** Vectors of overlapping passages instead of one of each document's head; an index keeps what it was built with. */
  passages?: boolean | undefined;
  /** Where ONNX Runtime runs the models, `'cpu'` by default. */
  provider?: Provider | undefined;
  /** Remembers the ranker's scores; without a ranker there are none. */
  scoreCache?: ScoreCacheSettings | undefined;
}

export interface ScoreCacheSettings {
  /** Memory for the scores, at least 1,024: half for scores that are anybody's, half for those of one searcher. */
  bytes: number;
  /** SQLite file that keeps scores across restarts, and those that memory has no room for. */
  file?: string | undefined;
  /** Bytes that scores take in it, at least 1,024; 1 GiB by default. */
  fileBytes?: number | undefined;
}

const OPTIONS = [
  'embedder',
  'ranker',
  'precision',
  'device',
  'devices',
  'readonly',
  'maxTokens',
  'passages',
  'provider',
  'scoreCache',
];
const SCORE_CACHE_OPTIONS = ['bytes', 'file', 'fileBytes'];
const LEAST_CACHE_BYTES = 1024;
const FILE_BYTES = 2 ** 30;

/**
 * Opens the index at `path`; makes it if it is not there, unless `readonly`. Errors: those of `Store.open`,
 * ERR_MODEL (a model is missing or damaged), ERR_MODEL_MISMATCH (the index was built with another embedder),
 * ERR_DEVICE_UNAVAILABLE.
 */
export async function open(path: string, options: OpenOptions = {}): Promise<SeineIndex> {
  checkOptions(options);
  const { readonly = false, provider, precision } = options;
  const opened: { close(): Promise<void> }[] = [];
  const keep: Keep = (part) => {
    opened.unshift(part);
    return part;
  };
  try {
    const store = keep(await Store.open(path, { readonly, mapFile: native()?.mapFile }));
    const info = await store.info();
    const embedder = options.embedder ?? info.model?.name ?? DEFAULT_EMBEDDER;
    const features = await featuresOf(embedder);
    checkFeatures(embedder, features, info.attributes);
    const [reader, { encoder, model }, ranker, { device, collection }] = await together([
      // A thread of its own, so that searches need not wait for long writes.
      readonly ? store : Store.open(path, { readonly: true }).then(keep),
      openEmbedderOf(info, embedder, options, keep),
      options.ranker === 'none'
        ? undefined
        : openCrossEncoder(options.ranker ?? DEFAULT_RANKER, { provider, precision }).then(keep),
      openCollection(store, features, options, keep),
    ]);
    const scoreCache =
      ranker === undefined || options.scoreCache === undefined
        ? undefined
        : keep(await openScoreCache(options.scoreCache, provider ?? 'cpu'));
    return new SeineIndex({
      store,
      reader,
      device,
      collection,
      encoder,
      ranker,
      scoreCache,
      model,
      readonly,
    });
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

/** Notes what was opened, so that it is closed if opening fails later. */
type Keep = <T extends { close(): Promise<void> }>(part: T) => T;

/** The results of all; if one fails, what it failed with, once all have ended. */
async function together<T extends readonly unknown[]>(
  parts: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

async function openEmbedderOf(
  info: StoreInfo,
  embedder: string,
  { maxTokens, passages, provider }: OpenOptions,
  keep: Keep,
): Promise<OpenedEmbedder> {
  const opened = await openEmbedder(embedder, {
    provider,
    maxTokens: agreed('maxTokens', info.model?.maxTokens, maxTokens),
    passages: agreed('passages', info.model?.passages, passages),
  });
  keep(opened.encoder);
  checkModel(info, opened.model);
  return opened;
}

async function openCollection(
  store: Store,
  features: FeatureWeights | undefined,
  { device: choice, devices }: OpenOptions,
  keep: Keep,
): Promise<{ device: Device; collection: Collection }> {
  const device = keep(await openDevice(choice, { devices }));
  const collection = keep(new Collection(store, device, features));
  await collection.catchUp();
  return { device, collection };
}

async function openScoreCache(
  { bytes, file, fileBytes = FILE_BYTES }: ScoreCacheSettings,
  provider: Provider,
): Promise<ScoreCache> {
  const tier = file === undefined ? undefined : await ScoreTier.open(file, fileBytes);
  return new ScoreCache({ bytes, provider, tier });
}

/** An embedder, and how an index records it. */
export interface OpenedEmbedder {
  encoder: Encoder;
  model: StoreModel;
}

export interface EmbedderOptions {
  provider?: Provider | undefined;
  maxTokens?: number | undefined;
  passages?: boolean | undefined;
}

/** Opens an embedder for an index that is new, or that is to be embedded anew. */
export async function openEmbedder(embedder: string, options: EmbedderOptions = {}): Promise<OpenedEmbedder> {
  const { provider, maxTokens, passages = false } = options;
  const encoder = await openEncoder(embedder, { provider, maxTokens });
  const name = existsSync(embedder) ? resolve(embedder) : embedder;
  const { hash, dim } = encoder;
  return { encoder, model: { name, hash, dim, maxTokens: encoder.maxTokens, passages } };
}

/** What the index was built with; ERR_MODEL_MISMATCH if something else is asked for. */
function agreed<T>(name: string, built: T | undefined, asked: T | undefined): T | undefined {
  if (built === undefined || asked === undefined || built === asked) return built ?? asked;
  throw new SeineError(
    'ERR_MODEL_MISMATCH',
    `The index was built with ${name} ${built}, but ${asked} was asked for: leave it out, or build a new index.`,
  );
}

function checkOptions(options: OpenOptions): void {
  checkNames(options, OPTIONS, 'The options');
  const { scoreCache } = options;
  if (scoreCache === undefined) return;
  checkNames(scoreCache, SCORE_CACHE_OPTIONS, 'scoreCache');
  const { bytes, file, fileBytes = FILE_BYTES } = scoreCache;
  for (const [name, value] of Object.entries({ bytes, fileBytes })) {
    if (Number.isSafeInteger(value) && value >= LEAST_CACHE_BYTES) continue;
    throw new SeineError(
      'ERR_ARGUMENT',
      `scoreCache.${name} must be a whole number of ${LEAST_CACHE_BYTES} or more, got ${show(value)}.`,
    );
  }
  if (file !== undefined && (typeof file !== 'string' || file === '')) {
    throw new SeineError('ERR_ARGUMENT', `scoreCache.file must be a path, got ${show(file)}.`);
  }
}

function checkNames(options: object, names: string[], what: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new SeineError('ERR_ARGUMENT', `${what} must be an object, got ${show(options)}.`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `There is no option ${show(unknown)}; there are: ${names.join(', ')}.`,
    );
  }
}
