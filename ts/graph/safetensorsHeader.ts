import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SeineError, show } from '../core/errors.ts';
import { bytesOf, type CheckpointTensor } from './checkpointTensor.ts';

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [start: number, end: number];
}

/** More than the header of any model takes. */
const MOST_HEADER_BYTES = 100_000_000;

/**
 * What a safetensors file holds and where, its tensors unread. Errors: `ERR_NOT_FOUND`, `ERR_CORRUPT`.
 * Format: https://github.com/huggingface/safetensors
 */
export function readSafetensorsHeader(path: string): {
  tensors: Map<string, CheckpointTensor>;
  metadata: Record<string, string>;
} {
  const corrupt = (what: string, cause?: unknown): SeineError =>
    new SeineError('ERR_CORRUPT', `${path} should be a safetensors file, but ${what}: fetch it again.`, {
      cause,
    });
  const { json, size, start } = readHeader(path, corrupt);
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw corrupt('its header is not JSON', error);
  }
  if (typeof header !== 'object' || header === null) throw corrupt('its header is no object');
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    if (!isEntry(entry))
      throw corrupt(`the tensor ${show(name)} is not described by dtype, shape and data_offsets`);
    const { dtype: format, shape, data_offsets } = entry;
    const [from, to] = data_offsets;
    const expected = bytesOf(
      format,
      shape.reduce((product, dim) => product * dim, 1),
    );
    if (from < 0 || to < from || start + to > size || (expected !== undefined && to - from !== expected)) {
      throw corrupt(`the tensor ${show(name)} does not lie within it`);
    }
    tensors.set(name, { path, format, shape, offset: start + from, bytes: to - from });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

function readHeader(
  path: string,
  corrupt: (what: string) => SeineError,
): { json: string; size: number; start: number } {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `A safetensors file should be readable at ${path}: check the path.`,
      {
        cause,
      },
    );
  }
  try {
    const { size } = fstatSync(file);
    const prefix = Buffer.alloc(8);
    if (readSync(file, prefix, 0, 8, 0) < 8) throw corrupt(`it has only ${size} bytes`);
    const length = Number(prefix.readBigUInt64LE());
    if (8 + length > size || length > MOST_HEADER_BYTES) throw corrupt('it ends within its header');
    const json = Buffer.alloc(length);
    if (readSync(file, json, 0, length, 8) < length) throw corrupt('it ends within its header');
    return { json: json.toString('utf8'), size, start: 8 + length };
  } finally {
    closeSync(file);
  }
}

function isEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<HeaderEntry>;
  const counts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && item >= 0);
  return typeof dtype === 'string' && counts(shape) && counts(offsets) && offsets?.length === 2;
}
