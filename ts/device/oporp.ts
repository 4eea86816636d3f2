import { SeineError } from '../core/errors.ts';
import { random } from '../core/random.ts';
import { pacer } from './pacer.ts';
import { checkInteger, checkKeys, copyFinite, findNotFinite, MAX_DIM } from './validate.ts';

export interface OporpOptions {
  /** Numbers in a vector: 1 to 65536. */
  dim: number;
  /** Numbers in its projection: 1 to `dim`. */
  bits: number;
  /** Draws the projection, the same for rows and queries: a whole number from 0 to 2³² − 1, or 0 if it is left out. */
  seed?: number;
}

/** Numbers between two looks at the clock. */
const NUMBERS_PER_BLOCK = 1 << 16;
const MAX_SEED = 2 ** 32 - 1;

/**
 * Projects `values` `[rows, dim]` onto `[rows, bits]` by one permutation and one random projection (OPORP; Li and Li
 * 2023, arXiv 2302.03505): numbers change places and, half of them, their sign; then neighbours are added up in `bits`
 * bins, whose sizes differ by one at most. Products of projections are those of the vectors, in expectation over seeds.
 * Uploaded with dtype `binary` projections become the 1-bit codes of Sign-OPORP: the smaller the angle between two
 * vectors, the fewer of their bits differ.
 *
 * Sums are float64, rounded to float32 once. Throws `ERR_ARGUMENT` and `ERR_DIMENSION`, `ERR_NOT_FINITE` for a number
 * that is not finite, and `ERR_OVERFLOW` where a sum is beyond float32.
 */
export async function oporp(values: Float32Array, options: OporpOptions): Promise<Float32Array> {
  const { dim, bits, seed } = checkOptions(options);
  const owned = await copyFinite(values, dim, 'values');
  const { bins, signs } = draw(dim, bits, seed);
  const count = owned.length / dim;
  const projected = new Float32Array(count * bits);
  const sums = new Float64Array(bits);
  const rowsPerBlock = Math.ceil(NUMBERS_PER_BLOCK / dim);
  const pause = pacer();
  for (let row = 0; row < count; row++) {
    if (row % rowsPerBlock === 0) await pause();
    sums.fill(0);
    for (let i = 0; i < dim; i++) sums[bins[i]!]! += signs[i]! * owned[row * dim + i]!;
    projected.set(sums, row * bits);
  }
  const large = await findNotFinite(projected);
  if (large >= 0) {
    throw new SeineError(
      'ERR_OVERFLOW',
      `A sum of numbers of row ${Math.floor(large / bits)} of values is beyond the range of float32: scale the values down.`,
    );
  }
  return projected;
}

function checkOptions(options: unknown): Required<OporpOptions> {
  const given = checkKeys(options, 'options', ['dim', 'bits', 'seed']);
  const dim = checkInteger(given.dim, 'dim', 1, MAX_DIM);
  return {
    dim,
    bits: checkInteger(given.bits, 'bits', 1, dim),
    seed: given.seed === undefined ? 0 : checkInteger(given.seed, 'seed', 0, MAX_SEED),
  };
}

/** The bin to which each number of a vector goes, and the sign that it gets. */
function draw(dim: number, bits: number, seed: number): { bins: Uint32Array; signs: Int8Array } {
  const source = random(seed);
  const places = source.shuffle(Array.from({ length: dim }, (_, i) => i));
  return {
    bins: Uint32Array.from(places, (place) => Math.floor((place * bits) / dim)),
    signs: Int8Array.from(places, () => 2 * source.below(2) - 1),
  };
}
