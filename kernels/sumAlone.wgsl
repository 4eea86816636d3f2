// Sums over the threads that add to a number in memory by one atomic: here each for itself, for any adapter. `sumBefore` is
// the part of those before a thread, and `fromAdder` hands out what the one that `adds` has found there.
fn sumBefore(amount: u32) -> u32 { return 0u; }
fn sumOf(amount: u32) -> u32 { return amount; }
fn adds() -> bool { return true; }
fn fromAdder(value: u32) -> u32 { return value; }
