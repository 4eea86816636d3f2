import { cholesky, inverse } from './cholesky.ts';

/**
 * Chooses which groups of rows of `weights` `[n, d]` are kept so that `tr (W − Ŵ)ᵀ H (W − Ŵ)` stays small, the kept
 * rows being fitted anew: greedily, the group that costs least goes first. Returns the indices of `keep` groups,
 * rising. `gram` is H, positive definite `[n, n]`.
 *
 * X. Meng et al.: OSSCAR, 2024, without its exchanges. A group G costs `tr W_Gᵀ ((H⁻¹)_GG)⁻¹ W_G`; leaving a row out
 * changes the inverse and the fitted weights by matrices of rank one. `onRemoved` may throw to stop.
 */
export function eliminate(
  gram: Float64Array,
  weights: Float64Array,
  groups: readonly (readonly number[])[],
  keep: number,
  onRemoved: () => void = () => {},
): number[] {
  const problem = new Remaining(gram, weights);
  const left = new Set(groups.keys());
  while (left.size > keep) {
    let [cheapest, least] = [-1, Number.POSITIVE_INFINITY];
    for (const group of left) {
      const cost = problem.costOf(groups[group]!);
      if (cost < least) [cheapest, least] = [group, cost];
    }
    left.delete(cheapest);
    for (const row of groups[cheapest]!) problem.leaveOut(row);
    onRemoved();
  }
  return [...left];
}

/** The inverse and the fitted weights of the rows that are left, which lie together before those that are not. */
class Remaining {
  /** Below and on the diagonal. */
  readonly #inverse: Float64Array;
  readonly #fitted: Float64Array;
  /** Of the matrices as they were: `[n, n]` and `[n, d]`. */
  readonly #n: number;
  readonly #d: number;
  readonly #placeOf: number[];
  readonly #rowAt: number[];
  #size: number;

  constructor(gram: Float64Array, weights: Float64Array) {
    this.#n = Math.sqrt(gram.length);
    this.#d = weights.length / this.#n;
    this.#inverse = inverse(gram, this.#n);
    this.#fitted = weights.slice();
    this.#size = this.#n;
    this.#placeOf = Array.from({ length: this.#n }, (_, row) => row);
    this.#rowAt = [...this.#placeOf];
  }

  costOf(group: readonly number[]): number {
    return group.length === 1 ? this.#costOfRow(group[0]!) : this.#costOfRows(group);
  }

  #costOfRow(row: number): number {
    const [place, d, fitted] = [this.#placeOf[row]!, this.#d, this.#fitted];
    let squares = 0;
    for (let at = place * d; at < (place + 1) * d; at++) squares += fitted[at]! * fitted[at]!;
    return squares / this.#inverse[place * this.#n + place]!;
  }

  #costOfRows(group: readonly number[]): number {
    const d = this.#d;
    const size = group.length;
    const places = group.map((row) => this.#placeOf[row]!);
    const block = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        const [a, b] = [places[i]!, places[j]!];
        block[i * size + j] = this.#inverse[Math.max(a, b) * this.#n + Math.min(a, b)]!;
      }
    }
    const factor = cholesky(block, size);
    const solved = new Float64Array(size * d);
    let cost = 0;
    for (let i = 0; i < size; i++) {
      const [at, pivot] = [places[i]! * d, factor[i * size + i]!];
      for (let c = 0; c < d; c++) {
        let sum = this.#fitted[at + c]!;
        for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * solved[k * d + c]!;
        solved[i * d + c] = sum / pivot;
        cost += (sum / pivot) ** 2;
      }
    }
    return cost;
  }

  leaveOut(row: number): void {
    const [inverted, fitted, n, d] = [this.#inverse, this.#fitted, this.#n, this.#d];
    this.#size--;
    const last = this.#size;
    this.#exchange(this.#placeOf[row]!, last);
    const column = inverted.subarray(last * n, last * n + last);
    const gone = fitted.subarray(last * d, (last + 1) * d);
    const pivot = inverted[last * n + last]!;
    for (let i = 0; i < last; i++) {
      const scale = column[i]! / pivot;
      if (scale === 0) continue;
      const [at, to] = [i * n, i * d];
      for (let j = 0; j <= i; j++) inverted[at + j]! -= scale * column[j]!;
      for (let c = 0; c < d; c++) fitted[to + c]! -= scale * gone[c]!;
    }
  }

  /** Exchanges the rows at two places, `a` at most `b`, in the lower half of the symmetric inverse and elsewhere. */
  #exchange(a: number, b: number): void {
    if (a === b) return;
    const [inverted, fitted, n, d] = [this.#inverse, this.#fitted, this.#n, this.#d];
    swapRuns(inverted, a * n, b * n, a);
    for (let j = a + 1; j < b; j++) swapRuns(inverted, j * n + a, b * n + j, 1);
    swapRuns(inverted, a * n + a, b * n + b, 1);
    swapRuns(fitted, a * d, b * d, d);
    const [first, second] = [this.#rowAt[a]!, this.#rowAt[b]!];
    [this.#rowAt[a], this.#rowAt[b]] = [second, first];
    [this.#placeOf[first], this.#placeOf[second]] = [b, a];
  }
}

function swapRuns(values: Float64Array, a: number, b: number, length: number): void {
  for (let i = 0; i < length; i++) [values[a + i], values[b + i]] = [values[b + i]!, values[a + i]!];
}
