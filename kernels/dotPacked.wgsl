// The product of four codes in a word with four others, for adapters with the language feature packed_4x8_integer_dot_product.
fn dotOfFour(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }
