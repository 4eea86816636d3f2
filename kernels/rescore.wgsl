// Canonical scores of pairs of a query and a row, a thread a pair: float64 sums in index order, by integers, since WGSL
// has no float64 and may flush or contract float32. No number here is subnormal, infinite or NaN as a float64: products
// of float32 lie between 2^-298 and 2^256, and so do squares of their differences, but for 0.

override DTYPE: u32;
override L2: bool;
override COSINE: bool;

struct Params {
  chunks: u32,   // of a row, see kernels/rows.wgsl
  numbers: u32,  // of a chunk; words of a query for BINARY
  pairs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> queries: array<u32>;  // [queries, chunks * numbers] bits of float32, or bits
@group(0) @binding(3) var<storage, read> pairs: array<vec4u>;  // query, row of the shard, bits of its scale for INT8
// Bits of two float64, low words first: the sum, and for COSINE that of the row's squares. BINARY: the count in x.
@group(0) @binding(4) var<storage, read_write> sums: array<vec4u>;

// (high * 2^32 + low) * 2^exponent; bit 20 of `high` is set, or both are 0.
struct Number {
  negative: bool,
  exponent: i32,
  high: u32,
  low: u32,
}

fn fromInteger(negative: bool, value: u32, exponent: i32) -> Number {
  if (value == 0u) { return Number(false, 0, 0u, 0u); }
  let zeros = countLeadingZeros(value);
  let top = value << zeros;
  return Number(negative, exponent - i32(zeros) - 21, top >> 11u, top << 21u);
}

fn fromFloat(bits: u32) -> Number {
  let biased = (bits >> 23u) & 255u;
  let value = (bits & 0x7fffffu) | select(0u, 0x800000u, biased > 0u);
  return fromInteger((bits >> 31u) == 1u, value, i32(max(biased, 1u)) - 150);
}

fn fromHalf(bits: u32) -> Number {
  let biased = (bits >> 10u) & 31u;
  let value = (bits & 1023u) | select(0u, 1024u, biased > 0u);
  return fromInteger(((bits >> 15u) & 1u) == 1u, value, i32(max(biased, 1u)) - 25);
}

// fl(code * scale): the product is exact in 32 bits, and keeps 24 of them, rounded to nearest, ties to even.
fn fromCode(code: i32, scale: u32) -> Number {
  let biased = (scale >> 23u) & 255u;
  let value = (scale & 0x7fffffu) | select(0u, 0x800000u, biased > 0u);
  let product = value * u32(abs(code));
  let drop = u32(max(0, 8 - i32(countLeadingZeros(product))));
  let kept = product >> drop;
  let rest = product - (kept << drop);
  let half = (1u << drop) >> 1u;
  let up = drop > 0u && (rest > half || (rest == half && (kept & 1u) == 1u));
  return fromInteger(code < 0, kept + select(0u, 1u, up), i32(max(biased, 1u)) - 150 + i32(drop));
}

// The float64 nearest to (high * 2^32 + low) * 2^exponent, ties to even. Bit 0 is set if lower ones are not all 0, for
// which one of the upper two bits must be set.
fn rounded(negative: bool, exponent: i32, high: u32, low: u32) -> Number {
  if ((high | low) == 0u) { return Number(false, 0, 0u, 0u); }
  var top = vec2u(high, low);
  var shifted = exponent;
  if (top.x == 0u) {
    top = vec2u(low, 0u);
    shifted -= 32;
  }
  let zeros = countLeadingZeros(top.x);
  if (zeros > 0u) { top = vec2u((top.x << zeros) | (top.y >> (32u - zeros)), top.y << zeros); }
  let rest = top.y & 0x7ffu;
  var kept = vec2u(top.x >> 11u, (top.y >> 11u) | (top.x << 21u));
  if (rest > 0x400u || (rest == 0x400u && (kept.y & 1u) == 1u)) {
    kept.y++;
    if (kept.y == 0u) { kept.x++; }
  }
  shifted += 11 - i32(zeros);
  if (kept.x == 0x200000u) { return Number(negative, shifted + 1, 0x100000u, 0u); }
  return Number(negative, shifted, kept.x, kept.y);
}

// Shifted right; bit 0 is set if a 1 was shifted out.
fn shiftedRight(value: vec2u, by: u32) -> vec2u {
  if (by == 0u) { return value; }
  if (by < 32u) {
    let lost = (value.y << (32u - by)) != 0u;
    return vec2u(value.x >> by, (value.y >> by) | (value.x << (32u - by)) | select(0u, 1u, lost));
  }
  if (by >= 64u) { return vec2u(0u, select(0u, 1u, (value.x | value.y) != 0u)); }
  let kept = value.x >> (by - 32u);
  let lost = value.y != 0u || (kept << (by - 32u)) != value.x;
  return vec2u(0u, kept | select(0u, 1u, lost));
}

fn add(x: Number, y: Number) -> Number {
  if (x.high == 0u) { return y; }
  if (y.high == 0u) { return x; }
  var a = x;
  var b = y;
  let sameExponent = x.exponent == y.exponent;
  if (x.exponent < y.exponent || (sameExponent && (x.high < y.high || (x.high == y.high && x.low < y.low)))) {
    a = y;
    b = x;
  }
  // Ten bits more below, and one above for the carry.
  let larger = vec2u((a.high << 10u) | (a.low >> 22u), a.low << 10u);
  let other = vec2u((b.high << 10u) | (b.low >> 22u), b.low << 10u);
  let smaller = shiftedRight(other, u32(a.exponent - b.exponent));
  if (a.negative == b.negative) {
    let low = larger.y + smaller.y;
    let high = larger.x + smaller.x + select(0u, 1u, low < larger.y);
    return rounded(a.negative, a.exponent - 10, high, low);
  }
  let high = larger.x - smaller.x - select(0u, 1u, larger.y < smaller.y);
  return rounded(a.negative, a.exponent - 10, high, larger.y - smaller.y);
}

// High and low word of a product.
fn product(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let first = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let second = (a & 0xffffu) * (b >> 16u) + (first & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u), (second << 16u) | (low & 0xffffu));
}

fn multiply(a: Number, b: Number) -> Number {
  if (a.high == 0u || b.high == 0u) { return Number(false, 0, 0u, 0u); }
  let lowest = product(a.low, b.low);
  let left = product(a.high, b.low);
  let right = product(a.low, b.high);
  let highest = product(a.high, b.high);
  // Words of the product from below; bit 104 or 105 is the first.
  let sum = lowest.x + left.y;
  let word1 = sum + right.y;
  let carry1 = select(0u, 1u, sum < left.y) + select(0u, 1u, word1 < right.y);
  let half = left.x + right.x; // both below 2^21
  let word2 = highest.y + half + carry1;
  let word3 = highest.x + select(0u, 1u, word2 < highest.y);
  let high = (word3 << 22u) | (word2 >> 10u);
  let low = (word2 << 22u) | (word1 >> 10u);
  let lost = ((word1 << 22u) | lowest.y) != 0u;
  return rounded(a.negative != b.negative, a.exponent + b.exponent + 42, high, low | select(0u, 1u, lost));
}

fn bitsOf(number: Number) -> vec2u {
  if (number.high == 0u) { return vec2u(0u, 0u); }
  let biased = u32(number.exponent + 52 + 1023);
  return vec2u(number.low, (select(0u, 1u, number.negative) << 31u) | (biased << 20u) | (number.high & 0xfffffu));
}

// Number `i` of a chunk.
fn numberOf(chunk: vec4u, i: u32, scale: u32) -> Number {
  if (DTYPE == F32) { return fromFloat(chunk[i]); }
  if (DTYPE == INT8) { return fromCode((bitcast<i32>(chunk[i / 4u]) << (24u - i % 4u * 8u)) >> 24u, scale); }
  let bits = (chunk[i / 2u] >> (i % 2u * 16u)) & 0xffffu;
  if (DTYPE == BF16) { return fromFloat(bits << 16u); }
  return fromHalf(bits);
}

@compute @workgroup_size(64)
fn rescorePairs(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var pair = id.x; pair < params.pairs; pair += groups.x * 64u) {
    let row = pairs[pair].y;
    let scale = pairs[pair].z;
    var at = pairs[pair].x * params.chunks * params.numbers;
    var count = 0u;
    var sum = Number(false, 0, 0u, 0u);
    var squares = sum;
    let start = startOf(row, params.chunks);
    for (var chunk = 0u; chunk < params.chunks; chunk++) {
      let codes = rows[start + chunk * BLOCK];
      for (var i = 0u; i < params.numbers; i++) {
        let bits = queries[at];
        at++;
        if (DTYPE == BINARY) {
          count += countOneBits(bits ^ codes[i]);
        } else {
          let q = fromFloat(bits);
          let x = numberOf(codes, i, scale);
          if (L2) {
            let difference = add(q, Number(!x.negative, x.exponent, x.high, x.low));
            sum = add(sum, multiply(difference, difference));
          } else {
            sum = add(sum, multiply(q, x));
          }
          if (COSINE) { squares = add(squares, multiply(x, x)); }
        }
      }
    }
    sums[pair] = vec4u(bitsOf(sum), bitsOf(squares));
    if (DTYPE == BINARY) { sums[pair].x = count; }
  }
}
