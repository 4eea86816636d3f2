import type { Graph, Tensor } from './graph.ts';

/** How the numbers of matrices lie and are multiplied: float32, or codes of 8 or 4 bits in blocks with a scale. */
export type Precision = 'f32' | 'q8' | 'q4';

export const PRECISIONS: readonly Precision[] = ['f32', 'q8', 'q4'];

/** Numbers of a block: those of a row, one after the other, the last one filled up with zeros. */
const BLOCK = 32;

/** A matrix as MatMulNBits takes it: `number = (code − 2^(bits − 1)) · scale`. */
export interface BlockCodes {
  bits: 8 | 4;
  /** `[to, blocks, bytes]`; of two codes in a byte the first lies below. */
  codes: Uint8Array;
  /** `[to · blocks]`; 0 for a block of zeros. */
  scales: Float32Array;
}

/** Quantises each block of the rows of a matrix `[to, from]` by its own largest magnitude, to nearest. */
export function quantizeBlocks(matrix: Float32Array, from: number, bits: 8 | 4): BlockCodes {
  const blocks = Math.ceil(from / BLOCK);
  const to = matrix.length / from;
  const middle = 2 ** (bits - 1);
  const bytes = (BLOCK * bits) / 8;
  const codes = new Uint8Array(to * blocks * bytes);
  const scales = new Float32Array(to * blocks);
  for (let block = 0; block < to * blocks; block++) {
    const row = Math.floor(block / blocks) * from;
    const start = row + (block % blocks) * BLOCK;
    const end = Math.min(start + BLOCK, row + from);
    let largest = 0;
    for (let i = start; i < end; i++) {
      if (Math.abs(matrix[i]!) > Math.abs(largest)) largest = matrix[i]!;
    }
    // The largest has the code 0, whatever its sign: below the middle there is one code more than above.
    const scale = Math.fround(largest / -middle);
    scales[block] = scale;
    for (let i = 0; i < BLOCK; i++) {
      const value = start + i < end && scale !== 0 ? matrix[start + i]! / scale : 0;
      const code = Math.min(2 * middle - 1, Math.round(value) + middle);
      if (bits === 8) codes[block * bytes + i] = code;
      else codes[block * bytes + (i >> 1)]! |= code << (4 * (i % 2));
    }
  }
  return { bits, codes, scales };
}

/** Puts a quantised matrix into a graph, as `[from, to]`: it serves in products only. */
export function blockMatrix(
  graph: Graph,
  name: string,
  from: number,
  to: number,
  { bits, codes, scales }: BlockCodes,
): Tensor {
  const blocks = Math.ceil(from / BLOCK);
  const stored = graph.weights(`${name}.codes`, [to, blocks, (BLOCK * bits) / 8], codes);
  const factors = graph.weights(`${name}.scales`, [to * blocks], scales);
  return { ...graph.tensor(name, [from, to]), blocks: { bits, size: BLOCK, codes: stored, scales: factors } };
}
