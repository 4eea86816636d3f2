/*
 * Numbers as whole multiples of 2^-149, the smallest float32, so that nothing here rounds: what storage types mean,
 * written without the code under test.
 */

/** A finite float32 in units of 2^-149. */
export function unitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const exponent = (bits >>> 23) & 0xff;
  const fraction = BigInt(bits & 0x7fffff);
  const magnitude = exponent === 0 ? fraction : (fraction | 0x800000n) << BigInt(exponent - 1);
  return bits >>> 31 === 1 ? -magnitude : magnitude;
}

/** Of at most 24 significant bits. */
export const numberOf = (units: bigint): number => Number(units) * 2 ** -149;

/** The magnitudes of a 16-bit float by their code: the finite ones, then what stands for infinity. */
function magnitudes(exponentBits: number, fractionBits: number): bigint[] {
  const bias = 2 ** (exponentBits - 1) - 1;
  const finite = (2 ** exponentBits - 1) * 2 ** fractionBits;
  return Array.from({ length: finite + 1 }, (_, code) => {
    const exponent = code >> fractionBits;
    const fraction = BigInt(code % 2 ** fractionBits);
    const shift = BigInt(149 + Math.max(exponent, 1) - bias - fractionBits);
    // Of bfloat16's subnormals the last bits are worth 2^-133: no shift is negative.
    return (exponent === 0 ? fraction : fraction + 2n ** BigInt(fractionBits)) << shift;
  });
}

export const MAGNITUDES = { f16: magnitudes(5, 10), bf16: magnitudes(8, 7) };

/** The 16 bits nearest to `value`, ties to the even code; undefined where that is infinity. */
export function nearestCode(value: number, dtype: 'f16' | 'bf16'): number | undefined {
  const table = MAGNITUDES[dtype];
  const units = unitsOf(value);
  const wanted = units < 0n ? -units : units;
  let low = 0;
  let high = table.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (table[middle]! <= wanted) low = middle;
    else high = middle;
  }
  const [below, above] = [wanted - table[low]!, table[high]! - wanted];
  const code = below < above || (below === above && low % 2 === 0) ? low : high;
  if (code === table.length - 1) return undefined;
  return code + (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

/** The number that 16 bits stand for. */
export function numberOfCode(code: number, dtype: 'f16' | 'bf16'): number {
  const magnitude = numberOf(MAGNITUDES[dtype][code & 0x7fff]!);
  return code >= 0x8000 ? -magnitude : magnitude;
}

/** `a / b` rounded to a whole number, ties to even; `b` is positive. */
export function divideRounding(a: bigint, b: bigint): bigint {
  const magnitude = a < 0n ? -a : a;
  const floor = magnitude / b;
  const rest = 2n * (magnitude % b);
  const rounded = rest > b || (rest === b && floor % 2n === 1n) ? floor + 1n : floor;
  return a < 0n ? -rounded : rounded;
}
