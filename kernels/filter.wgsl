// Conditions over columns of typed attributes, a dispatch a step of the program, bitset by bitset. Keys are two words, so
// that float64 and int64 compare exactly. What the steps mean: filter.h and ts/device/columnWords.ts.

// As OPERATION in ts/device/filterProgram.ts.
const CODE = 2u;
const WIDE = 3u;
const NOT = 5u;
const AND = 6u;

const THREADS = 256u;
const WORDS = 8u;  // that the threads fill

override OPERATION: u32;

struct Params {
  count: u32,      // rows
  words: u32,      // of a bitset
  to: u32,         // word of the stack where the bitset begins that is filled or changed; a join's other one follows
  first: u32,      // interval of a leaf
  intervals: u32,  // that it has, at least 1
}

@group(0) @binding(0) var<uniform> params: Params;
// A column: [count] keys, upper words of keys or where members end; lower words of keys, or keys of members.
@group(0) @binding(1) var<storage, read> first: array<u32>;
@group(0) @binding(2) var<storage, read> second: array<u32>;
// Lowest and highest key, the lower word first; those of a leaf rise and are disjoint.
@group(0) @binding(3) var<storage, read> intervals: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> stack: array<u32>;
@group(0) @binding(5) var<storage, read_write> total: atomic<u32>;

fn isBelow(a: vec2u, b: vec2u) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn holds(key: vec2u) -> bool {
  var low = params.first;
  var high = params.first + params.intervals - 1u;  // the first one that does not end below the key, or the last one
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (isBelow(intervals[middle].zw, key)) { low = middle + 1u; } else { high = middle; }
  }
  return !isBelow(key, intervals[low].xy) && !isBelow(intervals[low].zw, key);
}

fn passes(row: u32) -> bool {
  if (OPERATION == CODE) { return holds(vec2u(first[row], 0u)); }
  if (OPERATION == WIDE) { return holds(vec2u(second[row], first[row])); }
  var member = 0u;
  if (row > 0u) { member = first[row - 1u]; }
  for (; member < first[row]; member++) {
    if (holds(vec2u(second[member], 0u))) { return true; }
  }
  return false;
}

var<workgroup> passing: array<atomic<u32>, WORDS>;

// A thread a row, so that neighbours read neighbouring words; bits from `count` on are 0.
@compute @workgroup_size(THREADS)
fn filterLeaf(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var base = group.x * THREADS; base < params.count; base += groups.x * THREADS) {
    if (thread < WORDS) { atomicStore(&passing[thread], 0u); }
    workgroupBarrier();
    let row = base + thread;
    if (row < params.count && passes(row)) { atomicOr(&passing[thread / 32u], 1u << (thread % 32u)); }
    workgroupBarrier();
    let word = base / 32u + thread;
    if (thread < WORDS && word < params.words) { stack[params.to + word] = atomicLoad(&passing[thread]); }
  }
}

@compute @workgroup_size(THREADS)
fn joinBits(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var word = id.x; word < params.words; word += groups.x * THREADS) {
    let at = params.to + word;
    if (OPERATION == NOT) {
      stack[at] = ~stack[at];
    } else if (OPERATION == AND) {
      stack[at] &= stack[at + params.words];
    } else {
      stack[at] |= stack[at + params.words];
    }
  }
}

var<workgroup> own: atomic<u32>;

// Clears the bits from `count` on and counts those that are set.
@compute @workgroup_size(THREADS)
fn countBits(
  @builtin(local_invocation_index) thread: u32,
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  var bits = 0u;
  for (var word = id.x; word < params.words; word += groups.x * THREADS) {
    let over = params.count % 32u;
    if (word == params.words - 1u && over > 0u) { stack[word] &= (1u << over) - 1u; }
    bits += countOneBits(stack[word]);
  }
  let sum = sumOf(bits);
  if (adds()) { atomicAdd(&own, sum); }
  workgroupBarrier();
  if (thread == 0u) { atomicAdd(&total, atomicLoad(&own)); }
}
