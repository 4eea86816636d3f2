// How rows lie in a buffer; the front of kernels that read them.
//
// Rows lie as they are stored, in chunks of 16 bytes: 4 f32, 8 f16 or bf16, 16 int8, 128 bits. A shard has blocks of
// 64 rows, interleaved by chunk: one thread takes one row, and neighbours load neighbouring chunks.

const BLOCK = 64u;

const F32 = 0u;
const F16 = 1u;
const BF16 = 2u;
const INT8 = 3u;
const BINARY = 4u;

@group(0) @binding(1) var<storage, read> rows: array<vec4u>;

// Of the first chunk of a row among `rows`; the next ones follow BLOCK apart.
fn startOf(row: u32, chunks: u32) -> u32 {
  return row / BLOCK * chunks * BLOCK + row % BLOCK;
}
