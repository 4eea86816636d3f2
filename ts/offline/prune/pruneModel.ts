import { SeineError, show } from '../../core/errors.ts';
import { isDirectory } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import { openCheckpoint, parametersOf } from '../../graph/checkpoint.ts';
import { ModelConfig } from '../../graph/modelConfig.ts';
import { withLayers } from '../../graph/withLayers.ts';
import { requireNew, writeModelDirectory } from '../../models/writeModelDirectory.ts';
import { calibrate } from './calibration.ts';
import { calibrationTexts } from './calibrationTexts.ts';
import { chooseLayers, layerSteps } from './chooseLayers.ts';
import type { Method } from './method.ts';
import { pruneWidths, type WidthSummary } from './pruneWidths.ts';
import { statesError, statesOf } from './states.ts';

export interface PruneOptions {
  /** File of texts like those that the model will read. */
  calibration: string;
  /** Share of each layer's neurons that is left out, at least 0 and below 1. */
  neurons: number;
  /** Share of each layer's heads of keys and values, with the queries that share them, that is left out. */
  heads: number;
  /** Whole layers that are left out. */
  layers: number;
  method: Method;
  seed: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((stage: string, done: number, total: number) => void) | undefined;
}

export interface PruneSummary {
  parameters: { before: number; after: number };
  layers: { before: number; after: number; removed: number[] };
  neurons: WidthSummary | undefined;
  heads: WidthSummary | undefined;
  /** Tokens that neurons and heads were chosen with. */
  tokens: number;
  /** `‖A − B‖² / ‖A‖²` of the final hidden states A before and B after, on texts that were held out. */
  error: number;
}

const MOST_TOKENS = 16_384;
/** Layers are tried one by one, so each trial is short. */
const LAYER_TOKENS = 1024;
const HELD_OUT_TOKENS = 2048;
/** One text of so many is held out. */
const HELD_OUT = 5;

/**
 * Writes a smaller model as an ordinary model's directory: whole layers are left out first, then, in each layer that
 * is left, the same number of neurons and of heads. The same input and seed give the same model. Errors: those of
 * `openCheckpoint`, `calibrationTexts`, `chooseLayers`, `headsOf` and `writeModelDirectory`; `ERR_ARGUMENT` for a share
 * that is none.
 */
export async function pruneModel(
  source: string,
  target: string,
  options: PruneOptions,
): Promise<PruneSummary> {
  const { neurons, heads, layers: count, method, signal, onProgress = () => {} } = options;
  for (const [name, share] of Object.entries({ neurons, heads })) {
    if (share >= 0 && share < 1) continue;
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be a share of at least 0 and below 1, got ${show(share)}.`,
    );
  }
  if (!isDirectory(source)) {
    throw new SeineError('ERR_NOT_FOUND', `A model's directory should be at ${source}: check the path.`);
  }
  requireNew(target);
  const whole = openCheckpoint(source);
  const before = new ModelConfig(whole.config, source).count('num_hidden_layers');
  const texts = await calibrationTexts(options.calibration);
  const isHeldOut = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1 || i === texts.length - 1;
  const learned = texts.filter((_, i) => !isHeldOut(i));

  const chance = random(options.seed);
  let tried = 0;
  const removed = await chooseLayers(whole, await calibrate(whole, learned, LAYER_TOKENS), count, {
    method,
    random: chance,
    signal,
    onLayer: () => onProgress('layers', ++tried, layerSteps(before, count)),
  });
  const layers = Array.from({ length: before }, (_, i) => i);
  const shallow = withLayers(
    whole,
    layers.filter((layer) => !removed.includes(layer)),
  );
  const calibration = await calibrate(shallow, learned, MOST_TOKENS);
  const widths = { neurons, heads, method, random: chance, signal, onProgress };
  const thin = await pruneWidths(shallow, calibration, widths);
  const held = await calibrate(
    whole,
    texts.filter((_, i) => isHeldOut(i)),
    HELD_OUT_TOKENS,
  );
  const states = await statesOf(whole, held, { signal });
  const { parameters } = await writeModelDirectory(thin.model, target, { signal });
  // What is written is whole, so that an interruption would come too late.
  const error = statesError(states, await statesOf(openCheckpoint(target), held));
  return {
    parameters: { before: parametersOf(whole), after: parameters },
    layers: { before, after: before - removed.length, removed },
    neurons: thin.neurons,
    heads: thin.heads,
    tokens: calibration.tokens,
    error,
  };
}
