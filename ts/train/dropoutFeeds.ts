import { DROPOUT } from '../graph/autodiff.ts';
import type { Tensor, TensorInfo } from '../models/session.ts';

export interface Dropout {
  /** Share of elements that become 0, from 0 to below 1. */
  rate: number;
  seed: number;
}

/**
 * What dropout keeps in a batch of these feeds, for every input of a graph that asks for it: a function of the seed, the
 * number of the batch and the place alone (a counter through the mixer of splitmix32), so that training resumes to the bit.
 */
export function dropoutFeeds(
  inputs: readonly TensorInfo[],
  feeds: Readonly<Record<string, Tensor>>,
  { rate, seed }: Dropout,
  batch: number,
): Record<string, Tensor> {
  const asked = inputs.filter(({ name }) => name.startsWith(DROPOUT));
  const lengths = lengthsOf(inputs, feeds);
  return Object.fromEntries(
    asked.map(({ name, dims: declared }, i) => {
      const dims = declared.map((dim) => (typeof dim === 'number' ? dim : lengths.get(dim)!));
      const start = mixed(mixed(mixed(seed) + batch) + i);
      return [name, { type: 'bool', dims, data: keptOf(start, dims, rate) }];
    }),
  );
}

/** What the dimensions of a graph's inputs are in a batch. */
function lengthsOf(
  inputs: readonly TensorInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): Map<number | string, number> {
  const fed = inputs.filter(({ name }) => name in feeds);
  return new Map(
    fed.flatMap(({ name, dims }) => dims.map((dim, axis) => [dim, feeds[name]!.dims[axis]!] as const)),
  );
}

function keptOf(start: number, dims: readonly number[], rate: number): Uint8Array {
  const kept = new Uint8Array(dims.reduce((product, dim) => product * dim, 1));
  const least = rate * 2 ** 32;
  for (let i = 0; i < kept.length; i++) kept[i] = mixed(start + i) >= least ? 1 : 0;
  return kept;
}

// Held here, as looking globals up at each call is slow inside of a VM context.
const { imul } = Math;

/** A uint32 from a uint32 counter. */
function mixed(counter: number): number {
  let z = imul(counter, 0x9e3779b9);
  z = imul(z ^ (z >>> 16), 0x21f0aaad);
  z = imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
