// Top-k lists of each query into one, without a barrier: an entry's place in the answer is the number of entries that
// come before it, which is its place in its own list and a binary search in each other one.

struct Params {
  entries: u32,
  runs: u32,    // lists of all queries
  lists: u32,   // of a query
  k: u32,
  lowest: u32,  // 1 if lower scores are better
}

@group(0) @binding(0) var<uniform> params: Params;
// [queries * lists + 1]: where the entries of each list begin, and the end.
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
// Bits of float32, which are not read as numbers: devices may flush subnormal ones. None is NaN or -0.
@group(0) @binding(3) var<storage, read> scores: array<u32>;
// [queries, k]: id and bits of the score.
@group(0) @binding(4) var<storage, read_write> best: array<vec2u>;

// The smaller, the better: equal scores by id.
fn keyOf(entry: u32) -> vec2u {
  let bits = scores[entry];
  let rising = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
  return vec2u(select(~rising, rising, params.lowest == 1u), ids[entry]);
}

fn isBefore(a: vec2u, b: vec2u) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

// How many entries of a list come before `key`; of those equal to it all if `equals`, else none.
fn countBefore(list: u32, key: vec2u, equals: bool) -> u32 {
  var low = starts[list];
  var high = starts[list + 1u];
  while (low < high) {
    let middle = low + (high - low) / 2u;
    let other = keyOf(middle);
    if (isBefore(other, key) || (equals && all(other == key))) { low = middle + 1u; } else { high = middle; }
  }
  return low - starts[list];
}

// The last list that begins at the entry or before it: empty ones begin where the next does.
fn listOf(entry: u32) -> u32 {
  var low = 0u;
  var high = params.runs;
  while (high - low > 1u) {
    let middle = low + (high - low) / 2u;
    if (starts[middle] <= entry) { low = middle; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(256)
fn mergeEntries(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var entry = id.x; entry < params.entries; entry += groups.x * 256u) {
    let list = listOf(entry);
    let query = list / params.lists;
    let key = keyOf(entry);
    var rank = entry - starts[list];
    for (var other = query * params.lists; other < (query + 1u) * params.lists && rank < params.k; other++) {
      // Of equal entries those of earlier lists come first.
      if (other != list) { rank += countBefore(other, key, other < list); }
    }
    if (rank < params.k) { best[query * params.k + rank] = vec2u(ids[entry], scores[entry]); }
  }
}
