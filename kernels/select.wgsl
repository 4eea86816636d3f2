// Selection of the entries that may be among the k best: those whose smallest key does not exceed the k-th of the
// largest ones. By radix, 8 bits at a time, of all keys by many workgroups (histogram, pick, compact), or of a sample
// (choose) and of the survivors (refine) by one workgroup a query.

const THREADS = 256u;
// Told in place of a number of candidates: there were more survivors than there is room for.
const OPEN = 0xffffffffu;

// Per query the number found, zero at first and counted on past `capacity`; then slot 0 of each query, slot 1 of each
// and so on: so the first few of all are read back in one piece.
@group(0) @binding(8) var<storage, read_write> candidates: array<atomic<u32>>;

fn name(query: u32, number: u32, reaches: bool) {
  let one = u32(reaches);
  let named = sumOf(one);
  var first = 0u;
  if (adds() && named > 0u) { first = atomicAdd(&candidates[query], named); }
  let place = fromAdder(first) + sumBefore(one);
  if (reaches && place < params.capacity) {
    atomicStore(&candidates[(1u + place) * params.queries + query], number);
  }
}

var<workgroup> bins: array<atomic<u32>, 256>;

// The bin in which the wanted one lies, and its rank there.
fn binOf(rank: u32) -> vec2u {
  var wanted = rank;
  var bin = 0u;
  for (; bin < 255u; bin++) {
    let total = atomicLoad(&bins[bin]);
    if (wanted <= total) { break; }
    wanted -= total;
  }
  return vec2u(bin, wanted);
}

// Two shifts: a shift by 32 is not defined.
fn hasPrefix(key: u32, level: u32, prefix: u32) -> bool {
  return level == 0u || ((key >> (24u - 8u * level)) >> 8u) == prefix;
}

fn digitOf(key: u32, level: u32) -> u32 { return (key >> (24u - 8u * level)) & 255u; }

fn tally(key: u32, level: u32, prefix: u32) {
  if (hasPrefix(key, level, prefix)) { atomicAdd(&bins[digitOf(key, level)], 1u); }
}

@compute @workgroup_size(THREADS)
fn histogram(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let query = group.y;
  let level = selections[query].level;
  let prefix = selections[query].prefix;
  atomicStore(&bins[thread], 0u);
  workgroupBarrier();
  for (var slot = group.x * THREADS + thread; slot < params.slots; slot += groups.x * THREADS) {
    tally(keys[largestAt(query * params.stride + slot)], level, prefix);
  }
  workgroupBarrier();
  let total = atomicLoad(&bins[thread]);
  if (total > 0u) { atomicAdd(&selections[query].histogram[thread], total); }
}

@compute @workgroup_size(THREADS)
fn pick(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let query = group.x;
  atomicStore(&bins[thread], atomicExchange(&selections[query].histogram[thread], 0u));
  workgroupBarrier();
  if (thread == 0u) {
    let wanted = select(selections[query].wanted, params.wanted, selections[query].level == 0u);
    let picked = binOf(wanted);
    selections[query].wanted = picked.y;
    selections[query].prefix = (selections[query].prefix << 8u) | picked.x;
    selections[query].level++;
  }
}

@compute @workgroup_size(THREADS)
fn compact(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let query = group.y;
  let threshold = selections[query].prefix;
  for (var start = group.x * THREADS; start < params.slots; start += groups.x * THREADS) {
    let slot = start + thread;
    let reaches = slot < params.slots && keys[smallestAt(query * params.stride + slot)] <= threshold;
    name(query, params.first + slot, reaches);
  }
}

// Keys that a thread holds, so that these are read once and not for each digit.
const HELD = 12u;

var<workgroup> prefixOfAll: u32;
var<workgroup> rankOfAll: u32;
var<workgroup> foundOfAll: u32;

// The k-th smallest of the largest keys of the first `count` entries, by all threads of the workgroup; the largest
// number if there are fewer.
fn kthOf(query: u32, count: u32, thread: u32) -> u32 {
  if (thread == 0u) {
    prefixOfAll = 0u;
    rankOfAll = params.wanted;
  }
  let first = query * params.stride + thread;
  var held: array<u32, HELD>;
  for (var i = 0u; i < HELD; i++) {
    if (i * THREADS + thread < count) { held[i] = keys[largestAt(first + i * THREADS)]; }
  }
  for (var level = 0u; level < 4u; level++) {
    atomicStore(&bins[thread], 0u);
    workgroupBarrier();
    let prefix = prefixOfAll;
    for (var i = 0u; i < HELD; i++) {
      if (i * THREADS + thread < count) { tally(held[i], level, prefix); }
    }
    for (var i = HELD; i * THREADS + thread < count; i++) {
      tally(keys[largestAt(first + i * THREADS)], level, prefix);
    }
    workgroupBarrier();
    if (thread == 0u) {
      let picked = binOf(rankOfAll);
      prefixOfAll = (prefix << 8u) | picked.x;
      rankOfAll = picked.y;
    }
    workgroupBarrier();
  }
  return prefixOfAll;
}

@compute @workgroup_size(THREADS)
fn choose(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let threshold = kthOf(group.x, params.stride, thread);
  if (thread == 0u) { selections[group.x].prefix = min(threshold, HIGHEST); }
}

@compute @workgroup_size(THREADS)
fn refine(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let query = group.x;
  if (thread == 0u) { foundOfAll = atomicLoad(&selections[query].found); }
  let found = workgroupUniformLoad(&foundOfAll);
  let count = min(found, params.stride);
  let threshold = kthOf(query, count, thread);
  for (var start = 0u; start < count; start += THREADS) {
    let slot = start + thread;
    let entry = query * params.stride + slot;
    let reaches = slot < count && keys[smallestAt(entry)] <= threshold;
    var number = 0u;
    if (reaches) { number = keys[numberAt(entry)]; }
    name(query, number, reaches);
  }
  storageBarrier();
  if (thread == 0u && found > params.stride) { atomicStore(&candidates[query], OPEN); }
}
