import { closeSync, openSync, readSync } from 'node:fs';
import { SeineError } from '../core/errors.ts';
import { BLOCKS, type BlockFormat, dequantize, type TensorFormat } from './dequantize.ts';

/** A tensor of a checkpoint, still in its file. */
export interface CheckpointTensor {
  /** Row-major; matrices are `[out, in]`. */
  readonly shape: readonly number[];
  /** As the file calls it; not all can be read. */
  readonly format: string;
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  /** If given: the rows belong to so many heads, and in each the rows of the second half lie between those of the first. */
  readonly interleaved?: number;
}

const PLAIN = { F32: 4, F16: 2, BF16: 2 };

/** Formats of single numbers. */
export function isPlain(format: string): format is keyof typeof PLAIN {
  return Object.hasOwn(PLAIN, format);
}

/** GGML's formats of numbers that share a scale, those that Seine does not read among them. */
export const isInBlocks = (format: string): boolean => /^Q\d|^number /.test(format);

/** Bytes of so many numbers, or undefined if Seine does not read the format. */
export function bytesOf(format: string, count: number): number | undefined {
  if (isPlain(format)) return PLAIN[format] * count;
  if (!Object.hasOwn(BLOCKS, format) || count % 32 !== 0) return undefined;
  return BLOCKS[format as BlockFormat] * (count / 32);
}

/** The numbers of a tensor as float32. Reads its file at once: for worker threads and tools. */
export function readTensor(name: string, tensor: CheckpointTensor): Float32Array {
  const { path, format, shape, bytes, interleaved } = tensor;
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (bytesOf(format, count) !== bytes) {
    throw new SeineError(
      'ERR_MODEL',
      `The tensor ${name} of ${path} should lie in one of the formats ${[...Object.keys(PLAIN), ...Object.keys(BLOCKS)].join(', ')}, ` +
        `but its format is ${format}: convert the model to one of them.`,
    );
  }
  const numbers = dequantize(format as TensorFormat, readBytes(name, tensor), count);
  return interleaved === undefined ? numbers : inHalves(numbers, shape[0]!, interleaved);
}

/** The bytes of a tensor as they lie in its file, read at once: for worker threads and tools. */
export function readBytes(name: string, { path, offset, bytes }: CheckpointTensor): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(bytes);
  const file = openSync(path, 'r');
  try {
    for (let at = 0; at < bytes; ) {
      const read = readSync(file, raw, at, bytes - at, offset + at);
      if (read === 0) {
        throw new SeineError('ERR_CORRUPT', `${path} ends within the tensor ${name}: fetch it again.`);
      }
      at += read;
    }
  } finally {
    closeSync(file);
  }
  return raw;
}

/** Rows of each head `0 h 1 h+1 …` back into the order `0 1 … h h+1 …`. */
function inHalves(numbers: Float32Array, rows: number, heads: number): Float32Array {
  const width = numbers.length / rows;
  const half = rows / heads / 2;
  const out = new Float32Array(numbers.length);
  for (let row = 0; row < rows; row++) {
    const within = row % (2 * half);
    const from = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    out.set(numbers.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}
