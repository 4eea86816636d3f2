import { wordsFor } from '../core/bitset.ts';
import type { StoredRows } from './storedRows.ts';

/** Rows that lie interleaved: kernels/rows.wgsl gives the layout. */
export const BLOCK = 64;
export const CHUNK_BYTES = 16;

/** Rows `from` (a block's first) to `end` as whole blocks of rows of so many chunks, the lanes past `end` zero. */
export function interleave(
  rows: StoredRows,
  dim: number,
  chunks: number,
  from: number,
  end: number,
): ArrayBuffer {
  const { numbers, width } = numbersOf(rows, dim);
  const packed = new ArrayBuffer(Math.ceil((end - from) / BLOCK) * BLOCK * chunks * CHUNK_BYTES);
  const target = viewLike(numbers, packed);
  const perChunk = CHUNK_BYTES / numbers.BYTES_PER_ELEMENT;
  const shift = Math.log2(perChunk);
  for (let row = from; row < end; row++) {
    const lane = (row - from) % BLOCK;
    const base = ((row - from - lane) * chunks + lane) * perChunk;
    for (let i = 0; i < width; i++) {
      target[base + (i >>> shift) * (BLOCK * perChunk) + (i & (perChunk - 1))] = numbers[row * width + i]!;
    }
  }
  return packed;
}

type Numbers = Uint32Array | Uint16Array | Int8Array;

/** What is copied to the device, and its elements a row. Floats go as words, which keeps every bit. */
function numbersOf(stored: StoredRows, dim: number): { numbers: Numbers; width: number } {
  switch (stored.dtype) {
    case 'f32': {
      const { buffer, byteOffset, length } = stored.values;
      return { numbers: new Uint32Array(buffer, byteOffset, length), width: dim };
    }
    case 'int8':
      return { numbers: stored.codes, width: dim };
    case 'binary':
      return { numbers: stored.words, width: wordsFor(dim) };
    default:
      return { numbers: stored.values, width: dim };
  }
}

function viewLike(numbers: Numbers, buffer: ArrayBuffer): Numbers {
  if (numbers.BYTES_PER_ELEMENT === 1) return new Int8Array(buffer);
  return numbers.BYTES_PER_ELEMENT === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}
