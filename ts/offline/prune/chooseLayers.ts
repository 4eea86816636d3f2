import { SeineError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Checkpoint } from '../../graph/checkpoint.ts';
import { readTensor } from '../../graph/checkpointTensor.ts';
import { ModelConfig } from '../../graph/modelConfig.ts';
import { layerOf, withLayers } from '../../graph/withLayers.ts';
import type { Calibration, CalibrationRun } from './calibration.ts';
import type { Method } from './method.ts';
import { statesError, statesOf } from './states.ts';
import { requireLayers } from './units.ts';

export interface LayerChoice extends CalibrationRun {
  method: Method;
  random: Random;
  /** Called for each layer that was tried. */
  onLayer?: (() => void) | undefined;
}

/** How many layers are tried to leave out `count` by reconstruction. */
export function layerSteps(layers: number, count: number): number {
  return Array.from({ length: count }, (_, i) => layers - i).reduce((sum, left) => sum + left, 0);
}

/**
 * Leaves out `count` whole layers: by reconstruction, one after the other the layer without which the final hidden
 * states change least; by magnitude, those with the smallest weights. Returns their numbers, rising. Errors:
 * `ERR_ARGUMENT` if the family has layers of several kinds or fewer than `count` + 1.
 */
export async function chooseLayers(
  checkpoint: Checkpoint,
  calibration: Calibration,
  count: number,
  { method, random, onLayer, ...run }: LayerChoice,
): Promise<number[]> {
  if (count === 0) return [];
  const config = new ModelConfig(checkpoint.config, checkpoint.directory);
  requireLayers(config);
  const layers = config.count('num_hidden_layers');
  if (count >= layers) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `Fewer layers than the ${layers} of the model should be left out, got ${count}: leave one at least.`,
    );
  }
  const all = Array.from({ length: layers }, (_, i) => i);
  const byNumber = (a: number, b: number): number => a - b;
  if (method === 'random') return random.shuffle(all).slice(0, count).sort(byNumber);
  if (method === 'magnitude') {
    const sizes = sizesOf(checkpoint, layers);
    return all
      .sort((a, b) => sizes[a]! - sizes[b]!)
      .slice(0, count)
      .sort(byNumber);
  }
  const removed: number[] = [];
  const states = await statesOf(checkpoint, calibration, run);
  while (removed.length < count) {
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    for (const layer of all) {
      if (removed.includes(layer)) continue;
      const without = withLayers(
        checkpoint,
        all.filter((one) => one !== layer && !removed.includes(one)),
      );
      const error = statesError(states, await statesOf(without, calibration, run));
      if (error < least) [best, least] = [layer, error];
      onLayer?.();
    }
    removed.push(best);
  }
  return removed.sort(byNumber);
}

/** Sum of squares of each layer's weights. */
function sizesOf({ tensors }: Checkpoint, layers: number): number[] {
  const sizes = new Array<number>(layers).fill(0);
  for (const [name, tensor] of tensors) {
    const layer = layerOf(name);
    if (layer === undefined) continue;
    sizes[layer]! += readTensor(name, tensor).reduce((sum, value) => sum + value * value, 0);
  }
  return sizes;
}
