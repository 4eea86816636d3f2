import { type Random, random } from '../../ts/core/random.ts';

/** Rows that one step of a climb looks at. */
export const BATCH = 64;

/** Numbers at the ends and between the codes, of every size. */
export const STARTS: Record<string, (column: number, source: Random) => number> = {
  normal: (_, source) => source.normal(),
  'between codes': (column, source) => (column === 0 ? 127 : source.below(126) + 0.5 - 1e-6),
  'largest codes': (_, source) => (source.below(2) === 0 ? 127 : -127),
  'one huge number': (column, source) => (column === 0 ? 1e6 : source.normal()),
  'far from the origin': (_, source) => 1e4 + source.normal() / 16,
  // The largest sums of products that a query can have, beside rows of the largest codes.
  'codes of one sign': (column, source) => (column % 16 < 8 ? 1 : -1) * (127 - source.below(2)),
  'one sign at places that are added up': (column, source) => (column % 4 < 2 ? 127 : -source.below(128)),
  zeros: (_, source) => (source.below(4) === 0 ? source.normal() : 0),
  denormal: (_, source) => source.normal() * 1e-40,
  tiny: (_, source) => source.normal() * 1e-25,
  'smallest normal': (_, source) => source.normal() * 2 ** -119,
  large: (_, source) => source.normal() * 1e15,
  'beyond the range': (_, source) => source.normal() * 1e30,
  'all magnitudes': (_, source) => source.normal() * 2 ** (source.below(200) - 100),
};

export function draw(size: number, dim: number, kind: string, source: Random): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => STARTS[kind]!(i % dim, source));
}

/** Small and large steps that may bring a rounding error to where it hurts. */
export function mutate(values: Float32Array, source: Random): void {
  const at = source.below(values.length);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const code = () => source.below(255) - 127;
  const choices = [
    () => ((code() + 0.5) * largest) / 127.001,
    () => (code() * largest) / 127,
    () => -values[at]!,
    () => values[at]! * (1 + source.normal() / 4),
    () => values[at]! * (1 + source.normal() * 2 ** -20),
    () => values[source.below(values.length)]!,
    () => 0,
  ];
  const value = Math.fround(choices[source.below(choices.length)]!());
  if (Number.isFinite(value)) values[at] = value;
}

/**
 * Climbs to the largest strain: changes row and query, keeps what is worse for the bound. `strains` tells how far the
 * scores of rows `[BATCH, dim]` are from the middle of their bounds, in halves of the width: beyond 1 a bound is broken.
 */
export async function climb(
  dim: number,
  kind: string,
  steps: number,
  seed: number,
  strains: (query: Float32Array, rows: Float32Array) => number[] | Promise<number[]>,
): Promise<number> {
  const source = random(seed);
  let query = draw(dim, dim, kind, source);
  let row = draw(dim, dim, kind, source);
  let worst = 0;
  for (let step = 0; step < steps; step++) {
    const changed = query.slice();
    if (step % 2 === 1) mutate(changed, source);
    const rows = new Float32Array(BATCH * dim);
    for (let i = 0; i < BATCH; i++) {
      const one = rows.subarray(i * dim, (i + 1) * dim);
      one.set(row);
      if (step % 2 === 0) for (let times = source.below(4); times >= 0; times--) mutate(one, source);
    }
    const found = await strains(changed, rows);
    const most = Math.max(...found);
    if (most > 1) return most;
    if (most < worst) continue;
    worst = most;
    query = changed;
    const best = found.indexOf(most);
    row = rows.slice(best * dim, (best + 1) * dim);
  }
  return worst;
}
