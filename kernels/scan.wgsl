// Exact scan, device part: bounds of costs from float32 sums over the stored rows. The host settles the order among the
// rows that reach the k-th; see ts/device/webgpuSearch.ts for the whole and ts/device/webgpuBounds.ts for the bound.
//
// Rows and queries whose cost may overflow are undecided (see `bounds.w`): nothing depends on such a cost.

override DTYPE: u32;
// Parts of a chunk, each of which becomes four numbers of a query's float32 (for BINARY: 128 bits).
override PARTS: u32;
override L2: bool;
override FEATURES: u32; // numbers beside a row that queries weigh

// Per row: its length, rounded up, and the factor of its dot product (L2: of its numbers); then features. Not for BINARY.
@group(0) @binding(2) var<storage, read> facts: array<vec2f>;
// Per query: (x, y, z) bound the error of a cost by x * size + y * |cost| + z, where size is the row's length, squared
// for L2; rows of length w or more are undecided. With FEATURES, y is that of their weighted magnitudes, which leave a
// row undecided from the next number on; then come the weights.
@group(0) @binding(5) var<storage, read> bounds: array<vec4f>;

alias Fact = vec2f;
alias Sum = f32;

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
fn decode(chunk: vec4u, part: u32, fact: vec2f) -> vec4u {
  if (DTYPE == F16 || DTYPE == BF16) {
    let words = select(chunk.xy, chunk.zw, part == 1u);
    if (DTYPE == F16) { return bitcast<vec4u>(halves(words)); }
    return vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
  }
  if (DTYPE == INT8) {
    let codes = vec4f(bitcast<vec4i>(vec4u(chunk[part]) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
    return bitcast<vec4u>(select(codes, codes * fact.y, L2));
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

fn factOf(row: u32) -> vec2f {
  if (DTYPE == BINARY) { return vec2f(); }
  return facts[factAt(row)];
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

// The smallest and the largest key that the row's true cost can have.
fn endsOf(sum: f32, query: u32, row: u32, fact: vec2f) -> vec2u {
  if (DTYPE == BINARY) { return vec2u(ordered(sum)); }
  let bound = bounds[boundAt(query)];
  let features = weighed(query, row);
  let cost = select(-(sum * fact.y + features.x), sum, L2);
  var undecided = fact.x >= bound.w;
  var share = abs(cost);
  if (FEATURES > 0u) {
    share = features.y;
    undecided = undecided || share >= bounds[boundAt(query) + 1u].x;
  }
  if (undecided) { return vec2u(LOWEST, HIGHEST); }
  let error = bound.x * select(fact.x, fact.x * fact.x, L2) + bound.y * share + bound.z;
  return vec2u(ordered(cost - error), ordered(cost + error));
}
