import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SeineError } from '../core/errors.ts';
import { bytesOf, type CheckpointTensor } from './checkpointTensor.ts';

/** A value of GGUF's metadata; long integers that a number does not hold stay bigint. */
export type GgufValue = number | bigint | boolean | string | GgufValue[];

export interface Gguf {
  metadata: Map<string, GgufValue>;
  /** Shapes row-major, the reverse of how the file has them. */
  tensors: Map<string, CheckpointTensor>;
}

const MAGIC = 0x46554747;
/** Names of GGML's types that Seine may meet; those without a size in `bytesOf` are named in the error only. */
const FORMATS: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  30: 'BF16',
};
const ALIGNMENT = 32;
/** Read at a time, enlarged where the header is longer. */
const WINDOW = 1 << 24;
const MOST_HEADER_BYTES = 1 << 29;
const DEEPEST_ARRAY = 4;

/**
 * Metadata and tensors of a GGUF file of version 2 or 3, the tensors unread. Errors: `ERR_NOT_FOUND`, `ERR_CORRUPT`.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function readGguf(path: string): Gguf {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new SeineError('ERR_NOT_FOUND', `A GGUF file should be readable at ${path}: check the path.`, {
      cause,
    });
  }
  try {
    const { size } = fstatSync(file);
    for (let window = Math.min(size, WINDOW); ; window = Math.min(size, window * 2)) {
      const bytes = Buffer.alloc(window);
      readSync(file, bytes, 0, window, 0);
      const header = parse(new Cursor(bytes, path), path, size);
      if (header !== undefined) return header;
      if (window === size || window >= MOST_HEADER_BYTES) throw corrupt(path, 'it ends within its header');
    }
  } finally {
    closeSync(file);
  }
}

function corrupt(path: string, what: string): SeineError {
  return new SeineError('ERR_CORRUPT', `${path} should be a GGUF file, but ${what}: fetch it again.`);
}

/** Thrown where the bytes read so far end. */
class Ended extends Error {}

/** The header, or undefined if it is longer than the bytes of the cursor. */
function parse(cursor: Cursor, path: string, size: number): Gguf | undefined {
  try {
    if (size < 24 || cursor.u32() !== MAGIC) throw corrupt(path, 'it does not begin like one');
    const version = cursor.u32();
    if (version !== 2 && version !== 3) throw corrupt(path, `its version is ${version}, not 2 or 3`);
    const tensorCount = cursor.length();
    const metadata = new Map<string, GgufValue>();
    for (let left = cursor.length(); left > 0; left--) {
      const key = cursor.string();
      metadata.set(key, cursor.value(cursor.u32()));
    }
    const found: { name: string; shape: number[]; format: string; offset: number }[] = [];
    for (let left = tensorCount; left > 0; left--) {
      const name = cursor.string();
      const shape = Array.from({ length: cursor.u32() }, () => cursor.length()).reverse();
      const type = cursor.u32();
      const format = FORMATS[type] ?? `number ${type}`;
      found.push({ name, shape, format, offset: cursor.length() });
    }
    const alignment = Number(metadata.get('general.alignment') ?? ALIGNMENT);
    if (!(alignment > 0)) throw corrupt(path, `its alignment is ${alignment}`);
    const start = Math.ceil(cursor.at / alignment) * alignment;
    const tensors = new Map<string, CheckpointTensor>();
    for (const { name, shape, format, offset } of found) {
      const count = shape.reduce((product, dim) => product * dim, 1);
      const bytes = bytesOf(format, count) ?? 0;
      if (start + offset + bytes > size) throw corrupt(path, `the tensor ${name} does not lie within it`);
      tensors.set(name, { path, format, shape, offset: start + offset, bytes });
    }
    return { metadata, tensors };
  } catch (error) {
    if (error instanceof Ended) return undefined;
    throw error;
  }
}

class Cursor {
  at = 0;
  readonly #bytes: Buffer;
  readonly #path: string;

  constructor(bytes: Buffer, path: string) {
    this.#bytes = bytes;
    this.#path = path;
  }

  /** Passes over so many bytes and returns where they begin. */
  #take(length: number): number {
    const at = this.at;
    if (at + length > this.#bytes.length) throw new Ended();
    this.at += length;
    return at;
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  /** A number of things, of 64 bits. */
  length(): number {
    const value = this.#bytes.readBigUInt64LE(this.#take(8));
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt(this.#path, `it counts ${value} of something`);
    return Number(value);
  }

  string(): string {
    const length = this.length();
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  value(type: number, depth = 0): GgufValue {
    const bytes = this.#bytes;
    const small = (value: bigint): number | bigint =>
      value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
    switch (type) {
      case 0:
        return bytes.readUInt8(this.#take(1));
      case 1:
        return bytes.readInt8(this.#take(1));
      case 2:
        return bytes.readUInt16LE(this.#take(2));
      case 3:
        return bytes.readInt16LE(this.#take(2));
      case 4:
        return bytes.readUInt32LE(this.#take(4));
      case 5:
        return bytes.readInt32LE(this.#take(4));
      case 6:
        return bytes.readFloatLE(this.#take(4));
      case 7:
        return bytes.readUInt8(this.#take(1)) !== 0;
      case 8:
        return this.string();
      case 9: {
        const inner = this.u32();
        if (depth === DEEPEST_ARRAY) throw corrupt(this.#path, 'its arrays are nested too deep');
        const items: GgufValue[] = [];
        for (let left = this.length(); left > 0; left--) items.push(this.value(inner, depth + 1));
        return items;
      }
      case 10:
        return small(bytes.readBigUInt64LE(this.#take(8)));
      case 11:
        return small(bytes.readBigInt64LE(this.#take(8)));
      case 12:
        return bytes.readDoubleLE(this.#take(8));
      default:
        throw corrupt(this.#path, `its metadata has a value of the unknown type ${type}`);
    }
  }
}
