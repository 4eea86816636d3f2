// Exact scan, device part: costs in float32, and every row that may belong to the k best by a proven error bound.
// A cost is the squared distance or the negated similarity: lower is better. The host settles the order among the
// candidates; see ts/device/webgpuSearch.ts for the whole and ts/device/webgpuBounds.ts for the bound.
//
// Dispatches of a search, all in one submit:
//   score1 or score8            per shard: costs of all allowed rows
//   (histogram per shard, pick) four times: radix selection, 8 bits at a time, of the k-th smallest worst cost
//   compact                     per shard: rows whose best cost does not exceed it
//
// No NaN or infinity arises: the host keeps rows and queries of extreme length away (see `bounds.w`).

// Rows of a shard lie in blocks of 64, interleaved by chunks of four numbers: chunk c of row r is
// rows[(r / 64 * chunks + c) * 64 + r % 64]. One thread scores one row and neighbours load neighbouring chunks.
const BLOCK = 64u;
const TILE = 8u;
const THREADS = 256u;

override L2: bool;

struct Params {
  rows: u32,     // rows of this shard that the search sees
  first: u32,    // id of row 0
  chunks: u32,   // ceil(dim / 4)
  queries: u32,
  stride: u32,   // slots per query in costs
  capacity: u32, // slots per query in candidates
  masked: u32,   // 1 if mask applies
  wanted: u32,   // k
}

// Per query, zero at first. `histogram` counts rows by the next 8 bits of their key; `prefix` holds the bits chosen
// so far.
struct Selection {
  histogram: array<atomic<u32>, 256>,
  level: u32,
  prefix: u32,
  wanted: u32,                // rank of the wanted key among the keys with this prefix, from 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read> queries: array<vec4f>;
// Per query: (x, y, z) bound the error of a cost by x * norm + y * |cost| + z; rows of norm w or more are undecided.
@group(0) @binding(5) var<storage, read> bounds: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> costs: array<f32>;
@group(0) @binding(7) var<storage, read_write> selections: array<Selection>;
// Per query the number found, zero at first and counted on past `capacity`; then slot 0 of each query, slot 1 of each
// and so on: so the first few of all are read back in one piece.
@group(0) @binding(8) var<storage, read_write> candidates: array<atomic<u32>>;

fn passes(row: u32) -> bool {
  if (row >= params.rows) { return false; }
  return params.masked == 0u || ((mask[row >> 5u] >> (row & 31u)) & 1u) == 1u;
}

fn term(query: vec4f, row: vec4f) -> f32 {
  if (L2) {
    let difference = query - row;
    return dot(difference, difference);
  }
  return -dot(query, row);
}

@compute @workgroup_size(64)
fn score1(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = group.y;
  for (var block = group.x; block * BLOCK < params.rows; block += groups.x) {
    let row = block * BLOCK + lane;
    if (passes(row)) {
      var at = block * params.chunks * BLOCK + lane;
      var sum = 0.0;
      for (var chunk = 0u; chunk < params.chunks; chunk++) {
        sum += term(queries[query * params.chunks + chunk], rows[at]);
        at += BLOCK;
      }
      costs[query * params.stride + row] = sum;
    }
  }
}

// Eight queries at a time; the host pads `queries` to whole tiles.
@compute @workgroup_size(64)
fn score8(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.y * TILE;
  for (var block = group.x; block * BLOCK < params.rows; block += groups.x) {
    let row = block * BLOCK + lane;
    if (passes(row)) {
      var at = block * params.chunks * BLOCK + lane;
      var query = first * params.chunks;
      var sums: array<f32, TILE>;
      for (var chunk = 0u; chunk < params.chunks; chunk++) {
        let numbers = rows[at];
        for (var i = 0u; i < TILE; i++) {
          sums[i] += term(queries[query + i * params.chunks], numbers);
        }
        query++;
        at += BLOCK;
      }
      for (var i = 0u; i < min(TILE, params.queries - first); i++) {
        costs[(first + i) * params.stride + row] = sums[i];
      }
    }
  }
}

// Unsigned integers in the order of the floats; -0 counts as 0.
fn ordered(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if (bits == 0x80000000u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// The largest and the smallest key that the row's true cost can have.
fn worst(query: u32, row: u32) -> u32 {
  let bound = bounds[query];
  let norm = norms[row];
  if (norm >= bound.w) { return 0xffffffffu; }
  let cost = costs[query * params.stride + row];
  return ordered(cost + (bound.x * norm + bound.y * abs(cost) + bound.z));
}

fn best(query: u32, row: u32) -> u32 {
  let bound = bounds[query];
  let norm = norms[row];
  if (norm >= bound.w) { return 0u; }
  let cost = costs[query * params.stride + row];
  return ordered(cost - (bound.x * norm + bound.y * abs(cost) + bound.z));
}

var<workgroup> bins: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn histogram(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let query = group.y;
  let level = selections[query].level;
  let prefix = selections[query].prefix;
  let shift = 24u - 8u * level;
  atomicStore(&bins[thread], 0u);
  workgroupBarrier();
  for (var row = group.x * THREADS + thread; row < params.rows; row += groups.x * THREADS) {
    if (passes(row)) {
      let key = worst(query, row);
      // Two shifts: a shift by 32 is not defined.
      if (level == 0u || ((key >> shift) >> 8u) == prefix) {
        atomicAdd(&bins[(key >> shift) & 255u], 1u);
      }
    }
  }
  workgroupBarrier();
  let total = atomicLoad(&bins[thread]);
  if (total > 0u) { atomicAdd(&selections[query].histogram[thread], total); }
}

@compute @workgroup_size(256)
fn pick(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let query = group.x;
  atomicStore(&bins[thread], atomicExchange(&selections[query].histogram[thread], 0u));
  workgroupBarrier();
  if (thread == 0u) {
    var wanted = select(selections[query].wanted, params.wanted, selections[query].level == 0u);
    var bin = 0u;
    for (; bin < 255u; bin++) {
      let total = atomicLoad(&bins[bin]);
      if (wanted <= total) { break; }
      wanted -= total;
    }
    selections[query].wanted = wanted;
    selections[query].prefix = (selections[query].prefix << 8u) | bin;
    selections[query].level++;
  }
}

@compute @workgroup_size(256)
fn compact(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let query = group.y;
  let threshold = selections[query].prefix;
  for (var row = group.x * THREADS + thread; row < params.rows; row += groups.x * THREADS) {
    if (passes(row) && best(query, row) <= threshold) {
      let slot = atomicAdd(&candidates[query], 1u);
      if (slot < params.capacity) {
        atomicStore(&candidates[(1u + slot) * params.queries + query], params.first + row);
      }
    }
  }
}
