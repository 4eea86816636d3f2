import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openDevice } from '../../ts/device/openDevice.ts';
import { oporp } from '../../ts/device/oporp.ts';
import { numbers } from '../helpers/kinds.ts';

function product(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

const shape = fc
  .integer({ min: 1, max: 70 })
  .chain((dim) =>
    fc.record({ dim: fc.constant(dim), bits: fc.integer({ min: 1, max: dim }), seed: fc.nat(2 ** 32 - 1) }),
  );

describe('oporp', () => {
  test('sends each number to one bin, bins of sizes that differ by one at most, with either sign', async () => {
    const property = fc.asyncProperty(shape, async (options) => {
      const { dim, bits } = options;
      const units = Float32Array.from({ length: dim * dim }, (_, i) => Number(i % (dim + 1) === 0));
      const projected = await oporp(units, options);
      const sizes = new Float32Array(bits);
      for (let row = 0; row < dim; row++) {
        const sent = projected.subarray(row * bits, (row + 1) * bits);
        expect(sent.filter((value) => value !== 0).map(Math.abs)).toEqual(Float32Array.of(1));
        for (const [bin, value] of sent.entries()) sizes[bin]! += Math.abs(value);
      }
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  test('is the sum of the projections of a vector’s numbers, the same for each row', async () => {
    const property = fc.asyncProperty(shape, fc.integer({ min: 0, max: 5 }), async (options, rows) => {
      const { dim, bits, seed } = options;
      const values = numbers(rows, dim, 'normal', seed);
      const units = Float32Array.from({ length: dim * dim }, (_, i) => Number(i % (dim + 1) === 0));
      const matrix = await oporp(units, options);
      const expected = Float32Array.from({ length: rows * bits }, (_, at) => {
        let sum = 0;
        for (let i = 0; i < dim; i++)
          sum += matrix[i * bits + (at % bits)]! * values[Math.floor(at / bits) * dim + i]!;
        return sum;
      });
      expect(await oporp(values, options)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  test('keeps products in expectation over seeds, with the variance of the paper', async () => {
    const [dim, bits, seeds] = [96, 24, 4000];
    const values = numbers(2, dim, 'normal', 7);
    const [a, b] = [values.subarray(0, dim), values.subarray(dim)];
    const exact = product(a, b);
    const found: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const projected = await oporp(values, { dim, bits, seed });
      found.push(product(projected.subarray(0, bits), projected.subarray(bits)));
    }
    const mean = found.reduce((sum, value) => sum + value, 0) / seeds;
    const variance = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seeds - 1);
    // Theorem 2.2 with signs as weights (s = 1) and bins of equal size.
    const squares = a.reduce((sum, value, i) => sum + (value * b[i]!) ** 2, 0);
    const expected =
      ((product(a, a) * product(b, b) + exact ** 2 - 2 * squares) / bits) * ((dim - bits) / (dim - 1));
    expect(Math.abs(mean - exact)).toBeLessThan(4 * Math.sqrt(expected / seeds));
    expect(variance / expected).toBeGreaterThan(0.85);
    expect(variance / expected).toBeLessThan(1.15);
  });

  test('codes of near vectors differ in few bits: a search by them finds the row that a query was made of', async () => {
    const options = { dim: 384, bits: 128, seed: 3 };
    const values = numbers(500, options.dim, 'normal', 11);
    const noise = numbers(500, options.dim, 'normal', 12);
    const queries = values.map((value, i) => value + 0.5 * noise[i]!);
    await using device = await openDevice('reference');
    await using rows = await device.upload(await oporp(values, options), {
      ...{ dim: options.bits, metric: 'hamming', dtype: 'binary' },
    });
    const { ids } = await rows.search(await oporp(queries, options), { k: 1 });
    expect(Array.from(ids)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  test.each([
    [{ dim: 0, bits: 1 }, 'ERR_ARGUMENT', 'dim must be'],
    [{ dim: 4, bits: 5 }, 'ERR_ARGUMENT', 'bits must be'],
    [{ dim: 4, bits: 1.5 }, 'ERR_ARGUMENT', 'bits must be'],
    [{ dim: 4, bits: 2, seed: -1 }, 'ERR_ARGUMENT', 'seed must be'],
    [{ dim: 4, bits: 2, seeds: 1 }, 'ERR_ARGUMENT', 'seeds'],
    [{ dim: 3, bits: 2 }, 'ERR_DIMENSION', 'whole rows of 3 numbers'],
  ])('refuses %j', async (options, code, message) => {
    const refused = oporp(new Float32Array(8), options as { dim: number; bits: number });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('refuses what is not finite or leaves float32', async () => {
    await expect(oporp(Float32Array.of(1, 2, 3, Number.NaN), { dim: 2, bits: 1 })).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: expect.stringContaining('row 1, column 1'),
    });
    const large = Float32Array.of(1, 1, 3e38, 3e38, 3e38, -3e38);
    await expect(oporp(large, { dim: 2, bits: 1 })).rejects.toMatchObject({ code: 'ERR_OVERFLOW' });
  });
});
