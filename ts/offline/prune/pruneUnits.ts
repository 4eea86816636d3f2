import type { Random } from '../../core/random.ts';
import type { Checkpoint } from '../../graph/checkpoint.ts';
import { type CheckpointTensor, readTensor } from '../../graph/checkpointTensor.ts';
import type { NamedTensor } from '../../graph/safetensors.ts';
import { eliminate } from './eliminate.ts';
import { product, refit, relativeError, rowsOf } from './leastSquares.ts';
import type { Method } from './method.ts';
import type { Units } from './units.ts';

/** Share of the mean of the Gram matrix's diagonal that is added to it, so that it is positive definite. */
const DAMPING = 1e-3;

export interface PrunedUnits {
  /** Units that are kept, rising. */
  kept: number[];
  /** The tensors that change, under their names in the checkpoint. */
  tensors: Map<string, NamedTensor>;
  /** `‖XW − XŴ‖² / ‖XW‖²` on the calibration texts, damping included. */
  error: number;
}

export interface UnitChoice {
  method: Method;
  random: Random;
  onUnit?: (() => void) | undefined;
}

/**
 * Keeps `keep` of the units of one layer. By reconstruction, those from which the output `XW` can be made best, with
 * the weights that make it best; by magnitude, those with the largest weights, which stay as they are. `gram` is
 * `XᵀX [columns, columns]` of what the matrix `units.output` reads; `find` gives a tensor and its name in the
 * checkpoint, or undefined.
 */
export function pruneUnits(
  units: Units,
  gram: Float64Array,
  keep: number,
  find: (name: string) => [string, CheckpointTensor] | undefined,
  { method, random, onUnit }: UnitChoice,
): PrunedUnits {
  const [name, tensor] = find(units.output)!;
  const [d, n] = tensor.shape as [number, number];
  const weights = transposed(readTensor(name, tensor), d, n);
  const inputs = units.inputs.flatMap(({ name: layer, rows }) =>
    ['weight', 'bias'].flatMap((part) => {
      const found = find(`${layer}.${part}`);
      if (found === undefined) return [];
      const [key, stored] = found;
      return [{ key, shape: stored.shape, data: readTensor(key, stored), rows }];
    }),
  );
  const damped = withDamping(gram, n);
  const all = Array.from({ length: units.count }, (_, unit) => unit);
  const groups = all.map((unit) => units.columns(unit));

  const choose = (): number[] => {
    if (method === 'reconstruction') return eliminate(damped, weights, groups, keep, onUnit);
    if (method === 'random') return random.shuffle(all).slice(0, keep);
    const sizes = groups.map((columns, unit) => {
      const parts = inputs.map(({ data, shape, rows }) =>
        rowsOf(Float64Array.from(data), rows(unit), width(shape)),
      );
      return [rowsOf(weights, columns, d), ...parts].reduce((sum, part) => sum + squares(part), 0);
    });
    return all.sort((a, b) => sizes[b]! - sizes[a]!).slice(0, keep);
  };
  const kept = choose().sort((a, b) => a - b);
  const columns = kept.flatMap((unit) => groups[unit]!);
  const target = product(damped, weights, n, d);
  const fitted =
    method === 'reconstruction' ? refit(damped, target, columns, n, d) : rowsOf(weights, columns, d);

  const tensors = new Map<string, NamedTensor>();
  tensors.set(name, {
    shape: [d, columns.length],
    data: Float32Array.from(transposed(fitted, columns.length, d)),
  });
  for (const { key, shape, data, rows } of inputs) {
    // In the order of the rows, for a gated layer keeps all of one half before the other.
    const chosen = kept.flatMap((unit) => rows(unit)).sort((a, b) => a - b);
    const size = width(shape);
    const out = new Float32Array(chosen.length * size);
    chosen.forEach((from, to) => {
      out.set(data.subarray(from * size, (from + 1) * size), to * size);
    });
    tensors.set(key, { shape: [chosen.length, ...shape.slice(1)], data: out });
  }
  return { kept, tensors, error: relativeError(damped, target, weights, fitted, columns, n) };
}

/** The tensor of a name, with or without the family's prefix. */
export function finder(
  { tensors }: Checkpoint,
  prefix: string,
): (name: string) => [string, CheckpointTensor] | undefined {
  return (name) => {
    for (const key of [name, `${prefix}.${name}`]) {
      const tensor = tensors.get(key);
      if (tensor !== undefined) return [key, tensor];
    }
    return undefined;
  };
}

const width = (shape: readonly number[]): number => shape[1] ?? 1;
const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

function withDamping(gram: Float64Array, n: number): Float64Array {
  const damped = gram.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i]!;
  for (let i = 0; i < n; i++) damped[i * n + i]! += (DAMPING * trace) / n;
  return damped;
}

/** `[rows, columns]` -> `[columns, rows]` in float64. */
function transposed(data: Float32Array | Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return out;
}
