// Exact scan, device part: costs in float32, and every row that may belong to the k best by a proven error bound.
// A cost is the squared distance or the negated similarity: lower is better. The host settles the order among the
// candidates; see ts/device/webgpuSearch.ts for the whole and ts/device/webgpuBounds.ts for the bound.
//
// Dispatches of a search, all in one submit:
//   score1 or score8            per shard: costs of all allowed rows
//   (histogram per shard, pick) four times: radix selection, 8 bits at a time, of the k-th smallest worst cost
//   compact                     per shard: rows whose best cost does not exceed it
//
// Rows and queries whose cost may overflow are undecided (see `bounds.w`): nothing depends on such a cost.

// Rows lie as they are stored, in chunks of 16 bytes: 4 f32, 8 f16 or bf16, 16 int8, 128 bits. A shard has blocks of
// 64 rows, interleaved by chunk: chunk c of row r is rows[(r / 64 * chunks + c) * 64 + r % 64]. One thread scores one
// row and neighbours load neighbouring chunks.
const BLOCK = 64u;
const TILE = 8u;
const THREADS = 256u;

const F16 = 1u;
const BF16 = 2u;
const INT8 = 3u;
const BINARY = 4u;

override DTYPE: u32;
// Parts of a chunk, each of which becomes four numbers of a query's float32 (for BINARY: 128 bits).
override PARTS: u32;
override L2: bool;
override FEATURES: u32; // numbers beside a row that queries weigh

// Which rows of a shard a search sees. Costs lie in slots: a row's own, or the place of a listed row in the list.
const MASKED = 1u;
const LISTED = 2u;

struct Params {
  slots: u32,    // rows of this shard that the search sees, or has listed
  first: u32,    // id of row 0
  chunks: u32,   // of a row
  queries: u32,
  stride: u32,   // slots per query in costs
  capacity: u32, // slots per query in candidates
  mode: u32,     // MASKED, LISTED, or 0 if all pass
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
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;
// Per row: its length, rounded up, and the factor of its dot product (L2: of its numbers); then features. Not for BINARY.
@group(0) @binding(2) var<storage, read> facts: array<vec2f>;
// Bits of the rows that pass, or these rows, rising, counted from the shard's first.
@group(0) @binding(3) var<storage, read> passing: array<u32>;
// Per query: `chunks * PARTS` times four float32, or 128 bits.
@group(0) @binding(4) var<storage, read> queries: array<vec4u>;
// Per query: (x, y, z) bound the error of a cost by x * size + y * |cost| + z, where size is the row's length, squared
// for L2; rows of length w or more are undecided. With FEATURES, y is that of their weighted magnitudes, which leave a
// row undecided from the next number on; then come the weights.
@group(0) @binding(5) var<storage, read> bounds: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> costs: array<f32>;
@group(0) @binding(7) var<storage, read_write> selections: array<Selection>;
// Per query the number found, zero at first and counted on past `capacity`; then slot 0 of each query, slot 1 of each
// and so on: so the first few of all are read back in one piece.
@group(0) @binding(8) var<storage, read_write> candidates: array<atomic<u32>>;

fn passes(slot: u32) -> bool {
  if (slot >= params.slots) { return false; }
  return params.mode != MASKED || ((passing[slot >> 5u] >> (slot & 31u)) & 1u) == 1u;
}

fn rowOf(slot: u32) -> u32 {
  if (params.mode == LISTED) { return passing[slot]; }
  return slot;
}

// Of the first chunk of a row among `rows`.
fn startOf(row: u32) -> u32 {
  return row / BLOCK * params.chunks * BLOCK + row % BLOCK;
}

// Four halves, exactly, by integers: unpack2x16float may flush subnormal halves to zero.
fn halves(words: vec2u) -> vec4f {
  let bits = vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
  let magnitude = (bits & vec4u(0x7fffu)) << vec4u(13u);
  // Exponents grow by 112. A subnormal half is read as 2^-14 and more, from which 2^-14 is taken again.
  let normal = bitcast<vec4f>(magnitude + 0x38000000u);
  let subnormal = bitcast<vec4f>(magnitude + 0x38800000u) - 0x1p-14f;
  let value = select(normal, subnormal, magnitude < vec4u(0x800000u));
  return bitcast<vec4f>(bitcast<vec4u>(value) | ((bits & vec4u(0x8000u)) << vec4u(16u)));
}

// The numbers of a part of a chunk, or its bits.
fn decode(chunk: vec4u, part: u32, factor: f32) -> vec4u {
  if (DTYPE == F16 || DTYPE == BF16) {
    let words = select(chunk.xy, chunk.zw, part == 1u);
    if (DTYPE == F16) { return bitcast<vec4u>(halves(words)); }
    return vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
  }
  if (DTYPE == INT8) {
    let codes = vec4f(bitcast<vec4i>(vec4u(chunk[part]) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
    return bitcast<vec4u>(select(codes, codes * factor, L2));
  }
  return chunk;
}

fn term(query: vec4u, row: vec4u) -> f32 {
  if (DTYPE == BINARY) {
    let bits = countOneBits(query ^ row);
    return f32(bits.x + bits.y + bits.z + bits.w);
  }
  if (L2) {
    let difference = bitcast<vec4f>(query) - bitcast<vec4f>(row);
    return dot(difference, difference);
  }
  return dot(bitcast<vec4f>(query), bitcast<vec4f>(row));
}

fn factAt(row: u32) -> u32 { return row * (1u + (FEATURES + 1u) / 2u); }
fn boundAt(query: u32) -> u32 { return query * select(1u, 2u + FEATURES / 4u, FEATURES > 0u); }

fn factorOf(row: u32) -> f32 {
  if (DTYPE == BINARY) { return 1.0; }
  return facts[factAt(row)].y;
}

// Of the weighted features of a row the sum, and that of their magnitudes: enough of these where weights may be flushed.
fn weighed(query: u32, row: u32) -> vec2f {
  var sums = vec2f();
  for (var i = 0u; i < FEATURES; i++) {
    let feature = facts[factAt(row) + 1u + i / 2u][i % 2u];
    let weight = bounds[boundAt(query) + 1u + (i + 1u) / 4u][(i + 1u) % 4u];
    sums += vec2f(weight * feature, max(abs(weight), 0x1p-100f) * abs(feature));
  }
  return sums;
}

// From the sum of the terms.
fn costOf(sum: f32, query: u32, row: u32) -> f32 {
  if (DTYPE == BINARY || L2) { return sum; }
  return -(sum * factorOf(row) + weighed(query, row).x);
}

@compute @workgroup_size(64)
fn score1(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = group.y;
  for (var base = group.x * BLOCK; base < params.slots; base += groups.x * BLOCK) {
    let slot = base + lane;
    if (passes(slot)) {
      let row = rowOf(slot);
      let factor = factorOf(row);
      var at = startOf(row);
      var part = query * params.chunks * PARTS;
      var sum = 0.0;
      for (var chunk = 0u; chunk < params.chunks; chunk++) {
        let codes = rows[at];
        for (var i = 0u; i < PARTS; i++) {
          sum += term(queries[part], decode(codes, i, factor));
          part++;
        }
        at += BLOCK;
      }
      costs[query * params.stride + slot] = costOf(sum, query, row);
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
  for (var base = group.x * BLOCK; base < params.slots; base += groups.x * BLOCK) {
    let slot = base + lane;
    if (passes(slot)) {
      let row = rowOf(slot);
      let factor = factorOf(row);
      let parts = params.chunks * PARTS;
      var at = startOf(row);
      var part = first * parts;
      var sums: array<f32, TILE>;
      for (var chunk = 0u; chunk < params.chunks; chunk++) {
        let codes = rows[at];
        for (var j = 0u; j < PARTS; j++) {
          let numbers = decode(codes, j, factor);
          for (var i = 0u; i < TILE; i++) {
            sums[i] += term(queries[part + i * parts], numbers);
          }
          part++;
        }
        at += BLOCK;
      }
      for (var i = 0u; i < min(TILE, params.queries - first); i++) {
        costs[(first + i) * params.stride + slot] = costOf(sums[i], first + i, row);
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

// The smallest and the largest key that the row's true cost can have.
fn ends(query: u32, slot: u32) -> vec2u {
  let cost = costs[query * params.stride + slot];
  if (DTYPE == BINARY) { return vec2u(ordered(cost)); }
  let row = rowOf(slot);
  let bound = bounds[boundAt(query)];
  let length = facts[factAt(row)].x;
  var undecided = length >= bound.w;
  var share = abs(cost);
  if (FEATURES > 0u) {
    share = weighed(query, row).y;
    undecided = undecided || share >= bounds[boundAt(query) + 1u].x;
  }
  if (undecided) { return vec2u(0u, 0xffffffffu); }
  let error = bound.x * select(length, length * length, L2) + bound.y * share + bound.z;
  return vec2u(ordered(cost - error), ordered(cost + error));
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
  for (var slot = group.x * THREADS + thread; slot < params.slots; slot += groups.x * THREADS) {
    if (passes(slot)) {
      let key = ends(query, slot).y;
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
  for (var slot = group.x * THREADS + thread; slot < params.slots; slot += groups.x * THREADS) {
    if (passes(slot) && ends(query, slot).x <= threshold) {
      let place = atomicAdd(&candidates[query], 1u);
      if (place < params.capacity) {
        atomicStore(&candidates[(1u + place) * params.queries + query], params.first + rowOf(slot));
      }
    }
  }
}
