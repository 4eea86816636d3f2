import { readFile } from 'node:fs/promises';
import { SeineError, show } from '../core/errors.ts';
import { writeAtomic } from '../core/files.ts';

export interface NamedTensor {
  shape: readonly number[];
  data: Float32Array;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [start: number, end: number];
}

/**
 * Reads the float32 tensors of a safetensors file and its metadata; tensors of other types are passed over.
 * Errors: `ERR_NOT_FOUND`, `ERR_CORRUPT`.
 */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, NamedTensor>; metadata: Record<string, string> }> {
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `A safetensors file should be readable at ${path}: check the path.`,
      {
        cause: error,
      },
    );
  }
  const corrupt = (what: string, cause?: unknown): SeineError =>
    new SeineError('ERR_CORRUPT', `${path} should be a safetensors file, but ${what}: fetch it again.`, {
      cause,
    });
  if (file.length < 8) throw corrupt(`it has only ${file.length} bytes`);
  const headerLength = Number(file.readBigUInt64LE(0));
  if (8 + headerLength > file.length) throw corrupt('it ends within its header');
  let header: Record<string, HeaderEntry | Record<string, string>>;
  try {
    header = JSON.parse(file.toString('utf8', 8, 8 + headerLength));
  } catch (error) {
    throw corrupt('its header is not JSON', error);
  }
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map<string, NamedTensor>();
  for (const [name, entry] of Object.entries(entries as Record<string, HeaderEntry>)) {
    if (entry.dtype !== 'F32') continue;
    const [start, end] = entry.data_offsets;
    const count = entry.shape.reduce((product, dim) => product * dim, 1);
    if (end - start !== count * 4 || 8 + headerLength + end > file.length) {
      throw corrupt(`the tensor ${show(name)} does not lie within it`);
    }
    const bytes = file.subarray(8 + headerLength + start, 8 + headerLength + end);
    const data = new Float32Array(count);
    new Uint8Array(data.buffer).set(bytes);
    tensors.set(name, { shape: entry.shape, data });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

/** Writes float32 tensors and metadata; the file appears whole or not at all. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, 8);
  file.fill(0x20, 8 + json.length, 8 + padded);
  let at = 8 + padded;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  await writeAtomic(path, file);
}
