import { open } from 'node:fs/promises';
import { SeineError } from '../core/errors.ts';
import { writeAtomic } from '../core/files.ts';
import { type CheckpointTensor, isInBlocks, readTensor } from './checkpointTensor.ts';
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

/** Bytes of a tensor that are copied at a time. */
const CHUNK = 1 << 24;

/**
 * Writes tensors and metadata, and says how many tensors are done; the file appears whole or not at all. Tensors of
 * other files keep their numbers as they are, halves too; blocks of codes become float32. Only one is in memory at a
 * time. Rejects with `signal.reason` when aborted.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor | CheckpointTensor>,
  metadata: Record<string, string> = {},
  {
    signal,
    onTensor,
  }: { signal?: AbortSignal | undefined; onTensor?: ((done: number) => void) | undefined } = {},
): Promise<void> {
  // The widest numbers first, so that all are aligned.
  const entries = [...tensors].map(([name, tensor]) => ({ name, tensor, ...layoutOf(tensor) }));
  entries.sort((a, b) => b.width - a.width);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, tensor, dtype, bytes } of entries) {
    header[name] = { dtype, shape: [...tensor.shape], data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(8 + padded).fill(0x20, 8 + json.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, 8);

  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    yield start;
    for (const [done, { name, tensor }] of entries.entries()) {
      for await (const part of contentOf(name, tensor)) {
        signal?.throwIfAborted();
        yield part;
      }
      onTensor?.(done + 1);
    }
  }
  await writeAtomic(path, content());
}

/** Whether a tensor is written as it lies; those in memory, in blocks of codes or with interleaved rows become float32. */
const isKept = (tensor: NamedTensor | CheckpointTensor): tensor is CheckpointTensor =>
  'format' in tensor && !isInBlocks(tensor.format) && tensor.interleaved === undefined;

function layoutOf(tensor: NamedTensor | CheckpointTensor): { dtype: string; width: number; bytes: number } {
  const count = tensor.shape.reduce((product, dim) => product * dim, 1);
  if (!isKept(tensor)) return { dtype: 'F32', width: 4, bytes: 4 * count };
  return { dtype: tensor.format, width: tensor.bytes / Math.max(1, count), bytes: tensor.bytes };
}

async function* contentOf(
  name: string,
  tensor: NamedTensor | CheckpointTensor,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!isKept(tensor)) {
    const { buffer, byteOffset, byteLength } = 'data' in tensor ? tensor.data : readTensor(name, tensor);
    yield new Uint8Array(buffer, byteOffset, byteLength);
    return;
  }
  const file = await open(tensor.path, 'r');
  try {
    for (let at = 0; at < tensor.bytes; ) {
      const part = new Uint8Array(Math.min(CHUNK, tensor.bytes - at));
      const { bytesRead } = await file.read(part, 0, part.length, tensor.offset + at);
      if (bytesRead === 0) {
        throw new SeineError('ERR_CORRUPT', `${tensor.path} ends within the tensor ${name}: fetch it again.`);
      }
      yield part.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
