// sumAlone.wgsl for adapters with the feature subgroups: one atomic a subgroup. To be called in uniform control flow.
fn sumBefore(amount: u32) -> u32 { return subgroupExclusiveAdd(amount); }
fn sumOf(amount: u32) -> u32 { return subgroupAdd(amount); }
fn adds() -> bool { return subgroupElect(); }
fn fromAdder(value: u32) -> u32 { return subgroupBroadcastFirst(value); }
