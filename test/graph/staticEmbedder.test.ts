import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { quantizeRows } from '../../ts/graph/quantize.ts';
import { staticEmbedder } from '../../ts/graph/staticEmbedder.ts';
import { openSession } from '../../ts/models/session.ts';

test('gives the normalised mean of the token vectors; tokens without a vector and padding contribute nothing', async () => {
  const dim = 16;
  const generator = random(9);
  const rows = Float32Array.from({ length: 10 * dim }, () => generator.normal());
  rows.fill(0, 0, dim); // token 0 is special
  const session = await openSession(staticEmbedder(quantizeRows(rows, dim)));
  const texts = [
    [3, 4, 4, 9],
    [0, 7],
    [0, 0],
  ];
  const ids = texts.flatMap((text) => Array.from({ length: 4 }, (_, i) => BigInt(text[i] ?? 5)));
  const mask = texts.flatMap((text) => Array.from({ length: 4 }, (_, i) => (i < text.length ? 1n : 0n)));
  const { sentence_embedding: output } = await session.run({
    input_ids: { type: 'int64', dims: [3, 4], data: BigInt64Array.from(ids) },
    attention_mask: { type: 'int64', dims: [3, 4], data: BigInt64Array.from(mask) },
  });
  await session.release();
  expect(output!.dims).toEqual([3, dim]);
  texts.forEach((text, t) => {
    const sum = Array.from({ length: dim }, (_, i) =>
      text.reduce((total, id) => total + rows[id * dim + i]!, 0),
    );
    const norm = Math.hypot(...sum) || 1;
    sum.forEach((value, i) => {
      expect(Math.abs((output!.data as Float32Array)[t * dim + i]! - value / norm)).toBeLessThan(0.01);
    });
  });
});

test('rows keep their values to half a step of their own scale; a row of zeros stays zero', () => {
  const { codes, scales } = quantizeRows(Float32Array.of(1, -0.6, 0.013, 0, 0, 0, 1000, 3, -999), 3);
  expect(Array.from(codes)).toEqual([127, -76, 2, 0, 0, 0, 127, 0, -127]);
  expect(scales[1]).toBe(0);
  expect(scales[2]).toBeCloseTo(1000 / 127, 4);
});
