import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Dtype } from '../../ts/core/types.ts';
import { quantize } from '../../ts/device/quantize.ts';
import type { QuantizeOptions } from '../../ts/device/storedRows.ts';
import { divideRounding, MAGNITUDES, nearestCode, numberOfCode, unitsOf } from '../helpers/exactNumbers.ts';

const LARGEST = 3.4028234663852886e38;
const LEAST = 2 ** -149;
const fromBits = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
const nextUp = (value: number) => fromBits(new Uint32Array(Float32Array.of(value).buffer)[0]! + 1);

/** Any finite float32, each bit pattern as likely, or one of ordinary size. */
const finite = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc
    .integer({ min: 0, max: 0xffffffff })
    .map((bits) => (((bits >>> 23) & 0xff) === 0xff ? 1.5 : fromBits(bits))),
  fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
);

describe.each(['f16', 'bf16'] as const)('%s', (dtype) => {
  const codes = MAGNITUDES[dtype].length - 1;
  const round = async (values: number[], dim = values.length) => {
    const rows = await quantize(Float32Array.from(values), { dim, dtype });
    return Array.from((rows as { values: Uint16Array }).values);
  };

  test('every finite code comes back from its number', async () => {
    const all = Array.from({ length: codes }, (_, code) => [code, code + 0x8000]).flat();
    const values = all.map((code) => numberOfCode(code, dtype));
    const rows = await quantize(Float32Array.from(values), { dim: 2, dtype });
    expect(Array.from((rows as { values: Uint16Array }).values)).toEqual(all);
  });

  test('a number in the middle of two codes goes to the even one, its neighbours to the nearer one', async () => {
    const values: number[] = [];
    const expected: number[] = [];
    for (let code = 0; code < codes - 1; code++) {
      const middle = (numberOfCode(code, dtype) + numberOfCode(code + 1, dtype)) / 2;
      if (Math.fround(middle) !== middle) continue; // bfloat16's smallest: no float32 between them
      values.push(middle, nextUp(middle), -middle);
      expected.push(code + (code % 2), code + 1, code + (code % 2) + 0x8000);
    }
    expect(values.length).toBeGreaterThan(90_000);
    expect(await round(values, 3)).toEqual(expected);
  });

  test('agrees with the nearest of all codes', async () => {
    const property = fc.asyncProperty(fc.array(finite, { minLength: 1, maxLength: 50 }), async (values) => {
      const expected = values.map((value) => nearestCode(value, dtype));
      const wrong = expected.indexOf(undefined);
      if (wrong < 0) return expect(await round(values)).toEqual(expected);
      await expect(round(values)).rejects.toMatchObject({
        code: 'ERR_OVERFLOW',
        message: expect.stringContaining(`at row 0, column ${wrong}, which is beyond the range of dtype`),
      });
    });
    await fc.assert(property, { numRuns: 1000 });
  });

  test('overflow begins half a step above the largest number', async () => {
    const largest = numberOfCode(codes - 1, dtype);
    const edge = largest + (largest - numberOfCode(codes - 2, dtype)) / 2;
    const below = fromBits(new Uint32Array(Float32Array.of(edge).buffer)[0]! - 1);
    expect(await round([below, -below])).toEqual([codes - 1, codes - 1 + 0x8000]);
    const values = Float32Array.of(1, 2, 3, -edge);
    await expect(quantize(values, { dim: 2, dtype })).rejects.toMatchObject({
      code: 'ERR_OVERFLOW',
      message: expect.stringContaining('row 1, column 1'),
    });
  });
});

describe('int8', () => {
  async function encode(values: number[]) {
    const rows = await quantize(Float32Array.from(values), { dim: values.length, dtype: 'int8' });
    if (rows.dtype !== 'int8') throw new Error(rows.dtype);
    return { codes: Array.from(rows.codes), scale: rows.scales[0]!, error: rows.errors[0]! };
  }

  const checkRow = async (values: number[]) => {
    const { codes, scale, error } = await encode(values);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const s = unitsOf(scale);
    if (largest === 0) {
      expect({ codes, scale, error }).toEqual({ codes: values.map(() => 0), scale: 0, error: 0 });
      return;
    }
    // The float32 nearest to max / 127, but for the two exceptions at the ends of the range.
    const off = (candidate: number) => {
      const difference = 127n * unitsOf(candidate) - unitsOf(largest);
      return difference < 0n ? -difference : difference;
    };
    const down = fromBits(new Uint32Array(Float32Array.of(scale).buffer)[0]! - 1);
    if (scale < 2 ** -126) {
      expect(off(scale) < 127n).toBe(true);
      expect(2n * unitsOf(largest) <= 255n * s).toBe(true);
    } else if (Number.isFinite(Math.fround(nextUp(scale) * 127))) {
      expect(off(scale) <= off(down) && off(scale) <= off(nextUp(scale))).toBe(true);
    }
    expect(Number.isFinite(Math.fround(scale * 127))).toBe(true);
    let square = 0n;
    values.forEach((value, i) => {
      const code = divideRounding(unitsOf(value), s);
      const clamped = code > 127n ? 127n : code < -127n ? -127n : code;
      expect(BigInt(codes[i]!)).toBe(clamped);
      square += (unitsOf(value) - unitsOf(Math.fround(codes[i]! * scale))) ** 2n;
    });
    expect(unitsOf(error) ** 2n >= square).toBe(true);
    const lower = unitsOf(error) - unitsOf(error) / 2n ** 22n - 1n;
    expect(lower < 0n || lower ** 2n <= square).toBe(true);
  };

  test('scales, codes and errors follow the definition', async () => {
    const property = fc.asyncProperty(fc.array(finite, { minLength: 1, maxLength: 40 }), checkRow);
    await fc.assert(property, { numRuns: 1500 });
  });

  test.each([
    ['zeros', [0, -0, 0]],
    ['the smallest float32', [LEAST, 0, -LEAST]],
    ['denormals', Array.from({ length: 400 }, (_, i) => i * LEAST)],
    ['where float32 holds the scale coarsely', [255 * LEAST, 178 * LEAST, -100 * LEAST]],
    ['the largest float32', [LARGEST, -LARGEST, 1, LARGEST / 3]],
    ['one number', [-7.25]],
    ['halves between codes', Array.from({ length: 255 }, (_, i) => (i - 127) / 2 + 0.25).concat(127)],
  ])('%s', async (_, values) => {
    await checkRow(values.map(Math.fround));
  });

  test('rows have scales of their own', async () => {
    const rows = await quantize(Float32Array.of(127, 1, 0.127, -0.127, 0, 0), { dim: 2, dtype: 'int8' });
    expect(rows).toMatchObject({
      codes: Int8Array.of(127, 1, 127, -127, 0, 0),
      scales: Float32Array.of(1, Math.fround(Math.fround(0.127) / 127), 0),
    });
  });
});

test('binary: a bit for each number above 0, rows beginning with words of their own', async () => {
  const values = Float32Array.from({ length: 2 * 33 }, (_, i) => [1, -1, 0, -0, LEAST, -LEAST][i % 6]!);
  const bit = (i: number) => (values[i]! > 0 ? 1 : 0);
  const word = (from: number, to: number) => {
    let bits = 0;
    for (let i = from; i < to; i++) bits += bit(i) * 2 ** (i - from);
    return bits;
  };
  const words = Uint32Array.of(word(0, 32), word(32, 33), word(33, 65), word(65, 66));
  expect(await quantize(values, { dim: 33, dtype: 'binary' })).toEqual({ dtype: 'binary', words });
});

test('f32 stays as it is, in memory of its own; normalize brings rows to length 1', async () => {
  const values = Float32Array.of(3, 4, 0, -0, 1e-30, 0);
  const same = await quantize(values, { dim: 2, dtype: 'f32' });
  const normal = await quantize(values, { dim: 2, dtype: 'f32', normalize: true });
  values.fill(9);
  expect(same).toEqual({ dtype: 'f32', values: Float32Array.of(3, 4, 0, -0, 1e-30, 0) });
  expect(normal).toEqual({ dtype: 'f32', values: Float32Array.of(3 / 5, 4 / 5, 0, -0, 1, 0) });
  const long = await quantize(Float32Array.of(LARGEST, 0), { dim: 2, dtype: 'f16', normalize: true });
  expect(long).toEqual({ dtype: 'f16', values: Uint16Array.of(0x3c00, 0) });
});

test.each<[string, string, Float32Array, object]>([
  ['ERR_NOT_FINITE', 'NaN at row 1, column 0', Float32Array.of(1, 2, Number.NaN, 4), {}],
  ['ERR_DIMENSION', '1 too many', new Float32Array(3), {}],
  ['ERR_ARGUMENT', "'f32', 'f16', 'bf16', 'int8', 'binary'", new Float32Array(2), { dtype: 'int4' }],
  ['ERR_ARGUMENT', 'normalize must be true or false', new Float32Array(2), { normalize: 1 }],
  ['ERR_ARGUMENT', 'unknown key "metric"', new Float32Array(2), { metric: 'ip' }],
  ['ERR_ARGUMENT', 'must be a Float32Array', [1, 2] as unknown as Float32Array, {}],
])('refuses what is wrong: %s, %s', async (code, text, values, wrong) => {
  const options = { dim: 2, dtype: 'f16' as Dtype, ...wrong } as QuantizeOptions;
  await expect(quantize(values, options)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(text),
  });
});
