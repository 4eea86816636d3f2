import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { RowBatch, SegmentRecord } from './protocol.ts';

/**
 * A segment file: a header of 128 bytes, then columns, each from a multiple of 64 bytes:
 *
 *   rows u32[n], docs u32[n], starts u32[n], ends u32[n], vectors f32[n, dim]
 *
 * Header: magic (8 bytes), format version u32, dim u32, n u32, 0 u32, generation u64, SHA-256 of the model's hash,
 * CRC-32 of everything after the header u32, CRC-32 of the header up to here u32. Numbers are little-endian.
 */
const MAGIC = 'SEINESEG';
const FORMAT = 1;
const HEADER = 128;
const ALIGNMENT = 64;
const CRC_AT = 64;
/** Segment files are read as they lie, so machines of the other byte order do without. */
export const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export type Column = keyof RowBatch;
export const COLUMNS: readonly Column[] = ['rows', 'docs', 'starts', 'ends', 'vectors'];

/** Where the segment files of the index at `path` lie. */
export function segmentPath(path: string, name: string): string {
  return join(`${path}.segments`, name);
}

/** Where each column begins, and the length of the file, in bytes. */
export function layout(count: number, dim: number): { offsets: Record<Column, number>; bytes: number } {
  const width = Math.ceil((count * 4) / ALIGNMENT) * ALIGNMENT;
  const at = (column: number): number => HEADER + column * width;
  const offsets = { rows: at(0), docs: at(1), starts: at(2), ends: at(3), vectors: at(4) };
  return { offsets, bytes: offsets.vectors + count * dim * 4 };
}

/** Views of the columns of a whole file in memory. */
export function columnsOf(file: ArrayBuffer, count: number, dim: number): RowBatch {
  const { offsets } = layout(count, dim);
  return {
    rows: new Uint32Array(file, offsets.rows, count),
    docs: new Uint32Array(file, offsets.docs, count),
    starts: new Uint32Array(file, offsets.starts, count),
    ends: new Uint32Array(file, offsets.ends, count),
    vectors: new Float32Array(file, offsets.vectors, count * dim),
  };
}

/** Reads exactly `length` bytes; throws if the file ends before. */
function readExactly(path: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const descriptor = openSync(path, 'r');
  try {
    let done = 0;
    while (done < length) {
      const count = readSync(descriptor, bytes, done, length - done, offset + done);
      if (count === 0) throw new Error(`${path} ends after ${offset + done} bytes`);
      done += count;
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/** Rows `[first, first + count)` of a file. */
export function readRows(
  path: string,
  record: SegmentRecord,
  dim: number,
  first: number,
  count: number,
): RowBatch {
  const { offsets } = layout(record.count, dim);
  const read = (column: Column, width: number): ArrayBuffer =>
    readExactly(path, offsets[column] + first * width, count * width).buffer;
  return {
    rows: new Uint32Array(read('rows', 4)),
    docs: new Uint32Array(read('docs', 4)),
    starts: new Uint32Array(read('starts', 4)),
    ends: new Uint32Array(read('ends', 4)),
    vectors: new Float32Array(read('vectors', dim * 4)),
  };
}

/**
 * Goes on with the checksum of a file from `offset` (0 looks at the header) for at most `length` bytes.
 * Throws what reading throws; returns `undefined` if the file is not what the record says.
 */
export function checkPart(
  path: string,
  record: SegmentRecord,
  dim: number,
  offset: number,
  crc: number,
  length: number,
): { offset: number; crc: number; done: boolean } | undefined {
  if (offset === 0) {
    const header = readExactly(path, 0, HEADER);
    const view = new DataView(header.buffer);
    const holds =
      Buffer.from(header.subarray(0, MAGIC.length)).toString('latin1') === MAGIC &&
      view.getUint32(8, true) === FORMAT &&
      view.getUint32(12, true) === dim &&
      view.getUint32(16, true) === record.count &&
      view.getUint32(CRC_AT, true) === record.crc &&
      view.getUint32(CRC_AT + 4, true) === crc32(header.subarray(0, CRC_AT + 4)) &&
      layout(record.count, dim).bytes === record.bytes;
    return holds ? { offset: HEADER, crc: 0, done: false } : undefined;
  }
  const end = Math.min(offset + length, record.bytes);
  const next = crc32(readExactly(path, offset, end - offset), crc);
  if (end < record.bytes) return { offset: end, crc: next, done: false };
  return next === record.crc ? { offset: end, crc: next, done: true } : undefined;
}

/** Writes a segment file in order, from its first byte to its last. */
export class SegmentWriter {
  readonly #path: string;
  readonly #descriptor: number;
  #offset = HEADER;
  #open = true;
  #crc = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'wx');
  }

  write(array: Uint32Array | Float32Array): void {
    this.#append(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }

  /** Fills up with zeros to where the next column begins. */
  align(): void {
    this.#append(new Uint8Array((ALIGNMENT - (this.#offset % ALIGNMENT)) % ALIGNMENT));
  }

  #append(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#writeAt(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  #writeAt(bytes: Uint8Array, offset: number): void {
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
    }
  }

  /** Writes the header, makes the file durable and gives it its name, which it returns with length and checksum. */
  finish(
    name: (crc: number) => string,
    count: number,
    dim: number,
    generation: number,
    modelHash: string,
  ): { path: string; bytes: number; crc: number } {
    const header = new Uint8Array(HEADER);
    const view = new DataView(header.buffer);
    header.set(Buffer.from(MAGIC, 'latin1'));
    view.setUint32(8, FORMAT, true);
    view.setUint32(12, dim, true);
    view.setUint32(16, count, true);
    view.setBigUint64(24, BigInt(generation), true);
    header.set(createHash('sha256').update(modelHash).digest(), 32);
    view.setUint32(CRC_AT, this.#crc, true);
    view.setUint32(CRC_AT + 4, crc32(header.subarray(0, CRC_AT + 4)), true);
    this.#writeAt(header, 0);
    fsyncSync(this.#descriptor);
    this.#close();
    const path = name(this.#crc);
    renameSync(this.#path, path);
    syncDirectory(dirname(path));
    return { path, bytes: this.#offset, crc: this.#crc };
  }

  /** Gives up: closes and removes the file. */
  abandon(): void {
    this.#close();
    rmSync(this.#path, { force: true });
  }

  #close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }
}

/** Makes a rename durable; Windows has no such call and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
