/**
 * Adds rows of a matrix to `out`, from `at` on: `Σ factors[k] · rows[from + k]` over the factors, of each row the first
 * `length` of its `width` numbers. Four rows at a time, so that `out` is read and written a quarter as often.
 */
export function addRows(
  out: Float64Array,
  at: number,
  length: number,
  factors: Float64Array,
  rows: Float64Array,
  width: number,
  from = 0,
): void {
  let k = 0;
  for (; k + 4 <= factors.length; k += 4) {
    const [f0, f1, f2, f3] = [factors[k]!, factors[k + 1]!, factors[k + 2]!, factors[k + 3]!];
    const r0 = (from + k) * width;
    const [r1, r2, r3] = [r0 + width, r0 + 2 * width, r0 + 3 * width];
    for (let j = 0; j < length; j++) {
      out[at + j]! += f0 * rows[r0 + j]! + f1 * rows[r1 + j]! + f2 * rows[r2 + j]! + f3 * rows[r3 + j]!;
    }
  }
  for (; k < factors.length; k++) {
    const [factor, row] = [factors[k]!, (from + k) * width];
    for (let j = 0; j < length; j++) out[at + j]! += factor * rows[row + j]!;
  }
}
