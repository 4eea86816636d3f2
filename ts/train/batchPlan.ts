import { random } from '../core/random.ts';

export interface BatchPlan {
  /** Batches of an epoch, each of the same number of items. */
  readonly batchesPerEpoch: number;
  /** Items of a batch, counted from 0 over all epochs. */
  batch(index: number): readonly number[];
}

/** Batches whose items are sorted by length together, so that little is padding. */
const SORTED_BATCHES = 50;

/**
 * Divides items of given lengths into batches, anew for each epoch: shuffled, items of about equal lengths together.
 * What is left over after the last whole batch waits for another epoch. A function of its arguments alone.
 */
export function batchPlan(lengths: readonly number[], size: number, seed: number): BatchPlan {
  const batchesPerEpoch = Math.floor(lengths.length / size);
  let known: { epoch: number; batches: number[][] } | undefined;
  const divide = (epoch: number): number[][] => {
    const generator = random(seed + epoch * 0x9e3779b9);
    const order = generator.shuffle([...lengths.keys()]).slice(0, batchesPerEpoch * size);
    const batches: number[][] = [];
    for (let at = 0; at < order.length; at += SORTED_BATCHES * size) {
      const near = order
        .slice(at, at + SORTED_BATCHES * size)
        .sort((a, b) => lengths[a]! - lengths[b]! || a - b);
      for (let i = 0; i < near.length; i += size) batches.push(near.slice(i, i + size));
    }
    return generator.shuffle(batches);
  };
  return {
    batchesPerEpoch,
    batch(index) {
      const epoch = Math.floor(index / batchesPerEpoch);
      if (known?.epoch !== epoch) known = { epoch, batches: divide(epoch) };
      return known.batches[index % batchesPerEpoch]!;
    },
  };
}
