import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { blockMatrix, quantizeBlocks } from '../../ts/graph/blockMatrix.ts';
import { Graph } from '../../ts/graph/graph.ts';
import { openSession } from '../../ts/models/session.ts';

/** `[rows, to]` by float64, with numbers as their codes say. */
function product(
  x: Float32Array,
  { codes, scales, bits }: ReturnType<typeof quantizeBlocks>,
  from: number,
): number[] {
  const blocks = Math.ceil(from / 32);
  const to = scales.length / blocks;
  const code = (at: number): number =>
    bits === 8 ? codes[at]! - 128 : ((codes[at >> 1]! >> (4 * (at % 2))) & 15) - 8;
  return Array.from({ length: (x.length / from) * to }, (_, i) => {
    const [row, column] = [Math.floor(i / to), i % to];
    let sum = 0;
    for (let k = 0; k < from; k++) {
      const block = column * blocks + Math.floor(k / 32);
      sum += x[row * from + k]! * code(block * 32 + (k % 32)) * scales[block]!;
    }
    return sum;
  });
}

const numbers = (length: number) =>
  fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: length, maxLength: length });

test.each([8, 4] as const)('%s bits: codes are the nearest, products those of the codes', async (bits) => {
  const shape = fc.record({
    from: fc.integer({ min: 1, max: 70 }),
    to: fc.integer({ min: 1, max: 9 }),
    rows: fc.integer({ min: 1, max: 5 }),
  });
  const cases = shape.chain(({ from, to, rows }) =>
    fc.tuple(fc.constant(from), fc.constant(to), numbers(from * to), numbers(rows * from)),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([from, to, weights, inputs]) => {
      const matrix = Float32Array.from(weights);
      const x = Float32Array.from(inputs);
      const quantized = quantizeBlocks(matrix, from, bits);
      // A unit vector picks a column out: each number is within a step of what it was, half a step below the last code.
      const unit = Float32Array.from({ length: from * from }, (_, i) => Number(i % (from + 1) === 0));
      const back = product(unit, quantized, from);
      for (let i = 0; i < to * from; i++) {
        const [row, k] = [Math.floor(i / from), i % from];
        const scale = Math.abs(quantized.scales[row * Math.ceil(from / 32) + Math.floor(k / 32)]!);
        expect(Math.abs(back[k * to + row]! - matrix[i]!)).toBeLessThanOrEqual(scale * 1.0001 + 1e-30);
      }

      const graph = new Graph();
      const b = blockMatrix(graph, 'weights', from, to, quantized);
      graph.output(graph.matmul(graph.input('x', ['rows', from]), b), 'y');
      const session = await openSession(graph.build(), { threads: 1 });
      const run = async (data: Float32Array): Promise<Float32Array> =>
        (await session.run({ x: { type: 'float32', dims: [data.length / from, from], data } })).y!
          .data as Float32Array;
      const y = await run(x);
      const wanted = product(x, quantized, from);
      // Activations have 8 bits in each block, too.
      for (const [i, value] of y.entries()) {
        expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5 + (from * 2 * 2 * 1.1) / 127);
      }
      for (let row = 0; row < x.length / from; row++) {
        const alone = await run(x.slice(row * from, (row + 1) * from));
        // Float32 sums of the same products, in the order that the number of rows gives.
        const size =
          x.slice(row * from, (row + 1) * from).reduce((sum, value) => sum + Math.abs(value), 0) * 2.2;
        for (const [i, value] of alone.entries()) {
          expect(Math.abs(value - y[row * to + i]!)).toBeLessThanOrEqual(from * 2 ** -23 * size);
        }
      }
      await session.release();
    }),
    { numRuns: 30 },
  );
});
