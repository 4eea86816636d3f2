import { expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { principalAxes } from '../../../ts/offline/distill/principalAxes.ts';

test('principal axes are orthonormal, by falling mean square, and nothing is longer along any direction', () => {
  const [dim, count] = [5, 400];
  const generator = random(2);
  const rows = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const along = 10 * generator.normal();
    for (let i = 0; i < dim; i++)
      rows[row * dim + i] = (i < 2 ? along : 0) + (1 + i / 10) * generator.normal() + 1;
  }
  const axes = principalAxes(rows, dim);
  const meanSquare = (direction: ArrayLike<number>): number => {
    let sum = 0;
    for (let row = 0; row < count; row++) {
      let dot = 0;
      for (let i = 0; i < dim; i++) dot += direction[i]! * rows[row * dim + i]!;
      sum += dot ** 2 / count;
    }
    return sum;
  };
  const directions = Array.from({ length: dim }, (_, i) => axes.subarray(i * dim, (i + 1) * dim));
  for (const [a, one] of directions.entries()) {
    for (const [b, other] of directions.entries()) {
      const dot = one.reduce((sum, value, i) => sum + value * other[i]!, 0);
      expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-9);
    }
  }
  const squares = directions.map(meanSquare);
  expect(squares).toEqual([...squares].sort((a, b) => b - a));
  expect(Math.abs(directions[0]![0]!)).toBeCloseTo(Math.SQRT1_2, 1);
  for (let i = 0; i < 50; i++) {
    const drawn = Array.from({ length: dim }, () => generator.normal());
    const length = Math.hypot(...drawn);
    expect(meanSquare(drawn.map((value) => value / length))).toBeLessThan(squares[0]! * (1 + 1e-9));
  }
});
