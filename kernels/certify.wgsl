// Certified scan, device part: bounds of costs from products of int8 codes, which are exact. Rows that the codes cannot
// exclude are few; the host settles the order among them. The bound: ts/device/webgpuCodes.ts.

override L2: bool;

const PARTS = 1u;
alias Sum = i32;

struct Fact {
  scale: f32,   // of the row's codes
  length: f32,  // of the row
  rest: f32,    // length of what the codes leave
}

// Per row; for cosine all divided by its length.
@group(0) @binding(2) var<storage, read> facts: array<Fact>;
// Per query two lines. (x, y, z): the error of a cost is x * length + y * rest + z; rows of length w or more are
// undecided. Then the scale of the query's codes; for L2 the square of its length, and the share of the squares of both
// lengths that comes to the error.
@group(0) @binding(5) var<storage, read> bounds: array<vec4f>;

fn factOf(row: u32) -> Fact { return facts[row]; }

fn decode(chunk: vec4u, part: u32, fact: Fact) -> vec4u { return chunk; }

// At most 16 * 127^2 a chunk, of which a row has no more than 4096: below 2^31.
fn term(query: vec4u, row: vec4u) -> i32 {
  return dotOfFour(query.x, row.x) + dotOfFour(query.y, row.y) + dotOfFour(query.z, row.z) + dotOfFour(query.w, row.w);
}

// The smallest and the largest key that the row's true cost can have.
fn endsOf(sum: i32, query: u32, row: u32, fact: Fact) -> vec2u {
  let bound = bounds[2u * query];
  let more = bounds[2u * query + 1u];
  if (fact.length >= bound.w) { return vec2u(LOWEST, HIGHEST); }
  var cost = -(f32(sum) * fact.scale * more.x);
  var error = bound.x * fact.length + bound.y * fact.rest + bound.z;
  if (L2) {
    let squares = more.y + fact.length * fact.length;
    cost += squares;
    error += more.z * squares;
  }
  return vec2u(ordered(cost - error), ordered(cost + error));
}
