// Keys of rows, from which the k best are selected; the front of kernels that make or select them.
//
// A cost is the squared distance or the negated similarity: lower is better. Its key is an unsigned integer in the same
// order. What is known of a row are the largest and the smallest key that its true cost can have.

struct Params {
  slots: u32,    // rows of this shard that the search sees, or has listed
  first: u32,    // number of slot 0 among those of all shards: the id of its row, or its place in the list
  chunks: u32,   // of a row
  queries: u32,
  stride: u32,   // entries per query in keys
  offset: u32,   // entry of slot 0
  step: u32,     // of this many blocks of slots the first one is looked at
  mode: u32,     // MASKED, LISTED, or 0 if all pass
  wanted: u32,   // k
  capacity: u32, // slots per query in candidates
}

// Per query, zero at first. `histogram` counts entries by the next 8 bits of their key; `prefix` holds the bits chosen
// so far, at last the key.
struct Selection {
  histogram: array<atomic<u32>, 256>,
  level: u32,
  prefix: u32,
  wanted: u32,        // rank of the wanted key among the keys with this prefix, from 1
  found: atomic<u32>, // survivors
}

// Keys of what does not pass, and of what is undecided: no cost has either. As ordered(+infinity) < HIGHEST.
const NONE = 0xffffffffu;
const LOWEST = 0u;
const HIGHEST = 0xfffffffeu;

@group(0) @binding(0) var<uniform> params: Params;
// [queries, stride] largest keys, then as many smallest keys (unless costs are EXACT); of survivors then their numbers.
@group(0) @binding(6) var<storage, read_write> keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> selections: array<Selection>;

override EXACT: bool;

fn largestAt(entry: u32) -> u32 { return entry; }
fn smallestAt(entry: u32) -> u32 { return select(params.queries * params.stride, 0u, EXACT) + entry; }
fn numberAt(entry: u32) -> u32 { return 2u * params.queries * params.stride + entry; }
