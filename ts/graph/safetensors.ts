import { writeAtomic } from '../core/files.ts';
import { readTensor } from './checkpointTensor.ts';
import { readSafetensorsHeader } from './safetensorsHeader.ts';

export interface NamedTensor {
  shape: readonly number[];
  data: Float32Array;
}

/**
 * Reads the float32 tensors of a safetensors file and its metadata; tensors of other types are passed over.
 * Errors: `ERR_NOT_FOUND`, `ERR_CORRUPT`.
 */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, NamedTensor>; metadata: Record<string, string> }> {
  const { tensors: stored, metadata } = readSafetensorsHeader(path);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, tensor] of stored) {
    if (tensor.format === 'F32') tensors.set(name, { shape: tensor.shape, data: readTensor(name, tensor) });
  }
  return { tensors, metadata };
}

/** Writes float32 tensors and metadata; the file appears whole or not at all. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
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
