// The scan that scan.wgsl and certify.wgsl are two of: what they add is PARTS, Fact, factOf, Sum, decode, term and endsOf.
// In front comes `const TILE`, the queries that a thread scores a row with; the host pads `queries` to whole tiles.

// Which rows of a shard a search sees: those of a bitset, or listed ones.
const MASKED = 1u;
const LISTED = 2u;

// Bits of the rows that pass, or these rows, rising, counted from the shard's first.
@group(0) @binding(3) var<storage, read> passing: array<u32>;
// Per query: `chunks * PARTS` parts.
@group(0) @binding(4) var<storage, read> queries: array<vec4u>;

// What becomes of keys. PRUNED: rows are dropped that k others certainly come before, those whose smallest key exceeds the
// selection's. SAMPLE: only largest keys are written, as no others are read.
const SAMPLE = 1u;
const PRUNED = 2u;
override KEYS: u32;

fn passes(slot: u32) -> bool {
  if (slot >= params.slots) { return false; }
  return params.mode != MASKED || ((passing[slot / 32u] >> (slot % 32u)) & 1u) == 1u;
}

fn rowOf(slot: u32) -> u32 {
  if (params.mode == LISTED) { return passing[slot]; }
  return slot;
}

// Unsigned integers in the order of the floats; -0 counts as 0.
fn ordered(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if (bits == 0x80000000u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn store(query: u32, place: u32, ends: vec2u) {
  let entry = query * params.stride + place;
  keys[largestAt(entry)] = ends.y;
  if (KEYS != SAMPLE) { keys[smallestAt(entry)] = ends.x; }
}

fn keep(query: u32, slot: u32, ends: vec2u) {
  let survives = u32(ends.x <= selections[query].prefix);
  let survivors = sumOf(survives);
  var first = 0u;
  if (adds() && survivors > 0u) { first = atomicAdd(&selections[query].found, survivors); }
  let place = fromAdder(first) + sumBefore(survives);
  if (survives == 0u || place >= params.stride) { return; }
  store(query, place, ends);
  keys[numberAt(query * params.stride + place)] = params.first + slot;
}

@compute @workgroup_size(64)
fn score(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.y * TILE;
  let here = min(TILE, params.queries - first);
  let parts = params.chunks * PARTS;
  for (var block = group.x; block * params.step * BLOCK < params.slots; block += groups.x) {
    let slot = block * params.step * BLOCK + lane;
    let entry = params.offset + block * BLOCK + lane;
    let passing = passes(slot);
    var row = 0u;
    var fact: Fact;
    var sums: array<Sum, TILE>;
    if (passing) {
      row = rowOf(slot);
      fact = factOf(row);
      var at = startOf(row, params.chunks);
      var part = first * parts;
      for (var chunk = 0u; chunk < params.chunks; chunk++) {
        let codes = rows[at];
        for (var j = 0u; j < PARTS; j++) {
          let numbers = decode(codes, j, fact);
          for (var i = 0u; i < TILE; i++) {
            sums[i] += term(queries[part + i * parts], numbers);
          }
          part++;
        }
        at += BLOCK;
      }
    }
    for (var i = 0u; i < here; i++) {
      var ends = vec2u(NONE);
      if (passing) { ends = endsOf(sums[i], first + i, row, fact); }
      if (KEYS == PRUNED) {
        keep(first + i, slot, ends);
      } else if (entry < params.stride) {
        store(first + i, entry, ends);
      }
    }
  }
}
