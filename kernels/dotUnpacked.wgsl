// The product of four codes in a word with four others, for any adapter.
fn codesOf(word: u32) -> vec4i { return bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u); }

fn dotOfFour(a: u32, b: u32) -> i32 { return dot(codesOf(a), codesOf(b)); }
