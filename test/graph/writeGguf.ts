import type { Checkpoint } from '../../ts/graph/checkpoint.ts';
import { readTensor } from '../../ts/graph/checkpointTensor.ts';

const NAMES: [RegExp, string][] = [
  [/^model\.embed_tokens/, 'token_embd'],
  [/^model\.norm/, 'output_norm'],
  [/^lm_head/, 'output'],
  [/^model\.layers\.(\d+)\.input_layernorm/, 'blk.$1.attn_norm'],
  [/^model\.layers\.(\d+)\.self_attn\.([qkv])_proj/, 'blk.$1.attn_$2'],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj/, 'blk.$1.attn_output'],
  [/^model\.layers\.(\d+)\.post_attention_layernorm/, 'blk.$1.ffn_norm'],
  [/^model\.layers\.(\d+)\.mlp\.(\w+)_proj/, 'blk.$1.ffn_$2'],
];

/** The bytes of a GGUF with the float32 numbers of a Llama; rows of queries and keys lie as llama.cpp has them. */
export function writeGguf({ config, tensors }: Checkpoint): Buffer {
  const field = (key: string): number => config[key] as number;
  const metadata: Record<string, string | number> = {
    'general.architecture': 'llama',
    'llama.embedding_length': field('hidden_size'),
    'llama.attention.head_count': field('num_attention_heads'),
    'llama.attention.head_count_kv': field('num_key_value_heads'),
    'llama.feed_forward_length': field('intermediate_size'),
    'llama.block_count': field('num_hidden_layers'),
    'llama.context_length': field('max_position_embeddings'),
    'llama.attention.layer_norm_rms_epsilon': field('rms_norm_eps'),
  };
  const named = [...tensors].map(([name, tensor]) => {
    const [pattern, short] = NAMES.find(([known]) => known.test(name))!;
    const turned = /\.([qk])_proj/.exec(name)?.[1];
    const heads = field(turned === 'q' ? 'num_attention_heads' : 'num_key_value_heads');
    const numbers = readTensor(name, tensor);
    const data = turned === undefined ? numbers : interleaved(numbers, tensor.shape, heads);
    return { name: name.replace(pattern, short), shape: tensor.shape, data };
  });
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(named.length), u64(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) {
    parts.push(text(key), ...(typeof value === 'string' ? [u32(8), text(value)] : [u32(12), f64(value)]));
  }
  let offset = 0;
  for (const { name, shape, data } of named) {
    parts.push(text(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(0), u64(offset));
    offset += Math.ceil(data.byteLength / 32) * 32;
  }
  const aligned = (part: Buffer): Buffer => Buffer.concat([part, Buffer.alloc(-part.length & 31)]);
  const bytes = named.map(({ data }) => aligned(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  return Buffer.concat([aligned(Buffer.concat(parts)), ...bytes]);
}

/** Rows of each head `0 1 … h h+1 …` into the order `0 h 1 h+1 …`. */
function interleaved(numbers: Float32Array, [rows, width]: readonly number[], heads: number): Float32Array {
  const half = rows! / heads / 2;
  const out = new Float32Array(numbers.length);
  for (let row = 0; row < rows!; row++) {
    const within = row % (2 * half);
    const to = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    out.set(numbers.subarray(row * width!, (row + 1) * width!), to * width!);
  }
  return out;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
