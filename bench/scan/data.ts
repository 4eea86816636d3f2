import { readWordnet } from '../../scripts/wordnet.mjs';
import { random } from '../../ts/core/random.ts';
import { openEncoder } from '../../ts/models/encoder.ts';

export interface Vectors {
  dim: number;
  /** `[n, dim]`, of unit length. */
  rows: Float32Array;
  /** `[q, dim]`, of unit length. */
  queries: Float32Array;
}

const CENTRES = 1000;

/** Random directions; or rows and queries around a thousand of them, at about half their length. */
export function drawn(kind: 'normal' | 'clustered', n: number, dim: number, q: number): Vectors {
  const source = random(n + dim);
  const fill = (size: number) => {
    const values = new Float32Array(size * dim);
    for (let i = 0; i < values.length; i++) values[i] = source.normal();
    return unit(values, dim);
  };
  if (kind === 'normal') return { dim, rows: fill(n), queries: fill(q) };
  const centres = fill(CENTRES);
  const around = (size: number) => {
    const values = fill(size);
    for (let row = 0; row < size; row++) {
      const centre = source.below(CENTRES) * dim;
      for (let i = 0; i < dim; i++) values[row * dim + i] = values[row * dim + i]! / 2 + centres[centre + i]!;
    }
    return unit(values, dim);
  };
  return { dim, rows: around(n), queries: around(q) };
}

/** WordNet's glosses by the embedder that comes with Seine; the queries are glosses left out of the rows. */
export async function wordnet(q: number): Promise<Vectors> {
  const texts = Array.from(readWordnet(), ({ title, text }) => `${title} ${text}`);
  const encoder = await openEncoder('models/seine-embed-small');
  const { dim } = encoder;
  const { vectors } = await encoder.encode(texts, { kind: 'document' });
  await encoder.close();
  const every = Math.floor(texts.length / q);
  const queries = new Float32Array(q * dim);
  const rows = new Float32Array((texts.length - q) * dim);
  let [row, query] = [0, 0];
  for (let i = 0; i < texts.length; i++) {
    const one = vectors.subarray(i * dim, (i + 1) * dim);
    if (i % every === 0 && query < q) queries.set(one, query++ * dim);
    else rows.set(one, row++ * dim);
  }
  return { dim, rows, queries };
}

function unit(values: Float32Array, dim: number): Float32Array {
  for (let start = 0; start < values.length; start += dim) {
    let sum = 0;
    for (let i = start; i < start + dim; i++) sum += values[i]! ** 2;
    const length = Math.sqrt(sum);
    for (let i = start; i < start + dim; i++) values[i]! /= length;
  }
  return values;
}
