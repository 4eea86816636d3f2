import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { type BertConfig, bertShapes } from '../../ts/graph/bert.ts';
import { bertInference } from '../../ts/graph/bertInference.ts';
import { quantizeRows } from '../../ts/graph/quantize.ts';
import { openSession, type Session } from '../../ts/models/session.ts';
import { referenceLogit } from './referenceBert.ts';

const config: BertConfig = {
  hidden_size: 32,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  vocab_size: 40,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
};
const generator = random(5);
const weights = Object.fromEntries(
  Object.entries(bertShapes(config, 1)).map(([name, shape]) => {
    const centre = name.endsWith('LayerNorm.weight') ? 1 : 0;
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, Float32Array.from({ length: size }, () => centre + 0.3 * generator.normal())];
  }),
);
const words = Float32Array.from({ length: 40 * 32 }, () => generator.normal());
const sequences = [
  [1, 5, 9, 2],
  [1, 7, 2, 30, 31, 12, 2],
  [1],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const segments = sequences.map((ids) => ids.map((_, i) => (2 * i > ids.length ? 1 : 0)));
const expected = sequences.map((ids, i) => {
  const doubles = Object.fromEntries(
    Object.entries(weights).map(([name, data]) => [name, Float64Array.from(data)]),
  );
  return referenceLogit(config, doubles, Float64Array.from(words), ids, segments[i]!);
});

async function logits(session: Session, chosen: readonly number[]): Promise<Float32Array> {
  const length = Math.max(...chosen.map((i) => sequences[i]!.length));
  const dims = [chosen.length, length];
  const field = (value: (sequence: number, at: number) => number | undefined) => {
    const data = chosen.flatMap((i) => Array.from({ length }, (_, at) => BigInt(value(i, at) ?? 0)));
    return { type: 'int64', dims, data: BigInt64Array.from(data) } as const;
  };
  const { logits: output } = await session.run({
    input_ids: field((i, at) => sequences[i]![at]),
    attention_mask: field((i, at) => (sequences[i]![at] === undefined ? 0 : 1)),
    token_type_ids: field((i, at) => segments[i]![at]),
  });
  expect(output!.dims).toEqual([chosen.length, 1]);
  return output!.data as Float32Array;
}

test('with float32 weights gives the logits of the formulas for any batch and length', async () => {
  const session = await openSession(bertInference(config, { labels: 1 }, weights, words, 'float32'));
  const together = await logits(session, [0, 1, 2, 3]);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(together[i]! - value)).toBeLessThan(1e-4);
    expect(Math.abs((await logits(session, [i]))[0]! - value)).toBeLessThan(1e-4);
  }
  await session.release();
});

test('with int8 weights is a quarter of the size, close to float32, and does not depend on the batch', async () => {
  const exact = bertInference(config, { labels: 1 }, weights, words, 'float32');
  const small = bertInference(config, { labels: 1 }, weights, words, 'int8');
  expect(small.byteLength).toBeLessThan(0.45 * exact.byteLength);
  const session = await openSession(small);
  const together = await logits(session, [0, 1, 2, 3]);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(together[i]! - value)).toBeLessThan(0.25);
    expect(Math.abs((await logits(session, [i]))[0]! - together[i]!)).toBeLessThan(1e-4);
  }
  await session.release();
});

test('an embedding may be rotated', async () => {
  const rotation = Float32Array.from({ length: 32 * 32 }, () => generator.normal());
  const vectors = async (pooling: { rotation?: Float32Array }) => {
    const head = { pooling: 'mean', ...pooling } as const;
    const session = await openSession(bertInference(config, head, weights, words, 'float32'));
    const ids = { type: 'int64', dims: [1, 4], data: BigInt64Array.of(1n, 5n, 9n, 2n) } as const;
    const mask = { ...ids, data: new BigInt64Array(4).fill(1n) };
    const types = { ...ids, data: new BigInt64Array(4) };
    const feeds = { input_ids: ids, attention_mask: mask, token_type_ids: types };
    const { sentence_embedding: output } = await session.run(feeds);
    await session.release();
    return output!.data as Float32Array;
  };
  const plain = await vectors({});
  const rotated = await vectors({ rotation });
  const product = Array.from({ length: 32 }, (_, j) =>
    plain.reduce((sum, value, i) => sum + value * rotation[i * 32 + j]!, 0),
  );
  const length = Math.hypot(...product);
  for (const [j, value] of product.entries()) expect(rotated[j]).toBeCloseTo(value / length, 5);
});

test('rows keep their values to half a step of their own scale; a row of zeros stays zero', () => {
  const { codes, scales } = quantizeRows(Float32Array.of(1, -0.6, 0.013, 0, 0, 0, 1000, 3, -999), 3);
  expect(Array.from(codes)).toEqual([127, -76, 2, 0, 0, 0, 127, 0, -127]);
  expect(scales[1]).toBe(0);
  expect(scales[2]).toBeCloseTo(1000 / 127, 4);
});
