import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { type BertConfig, bertEncoder, bertShapes, classificationHead } from '../../ts/graph/bert.ts';
import { type FlatLayout, flatLayout } from '../../ts/graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../../ts/graph/gradientGraph.ts';
import { openSession, type Session, type Tensor } from '../../ts/models/session.ts';
import { listwiseLoss } from '../../ts/train/losses/listwise.ts';
import { type Reference, referenceLogit } from './referenceBert.ts';

interface Setting {
  config: BertConfig;
  lists: number;
  size: number;
  length: number;
}

const SMALL: Setting = {
  config: {
    hidden_size: 8,
    intermediate_size: 12,
    num_attention_heads: 2,
    num_hidden_layers: 2,
    vocab_size: 11,
    max_position_embeddings: 7,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
  },
  lists: 2,
  size: 3,
  length: 5,
};

function problem({ config, lists, size, length }: Setting, scale: number) {
  const generator = random(3);
  const layout = flatLayout(bertShapes(config, 1));
  const parameters = Float32Array.from({ length: layout.size }, () => scale * generator.normal());
  for (const { name, offset, size: count } of layout.entries) {
    if (!name.endsWith('LayerNorm.weight')) continue;
    for (let i = offset; i < offset + count; i++) parameters[i]! += 1;
  }
  const words = Float32Array.from(
    { length: config.vocab_size * config.hidden_size },
    () => scale * generator.normal(),
  );
  const pairs = lists * size;
  const lengths = Array.from({ length: pairs }, () => 2 + generator.below(length - 1));
  const ids = new BigInt64Array(pairs * length);
  const mask = new BigInt64Array(pairs * length);
  const types = new BigInt64Array(pairs * length);
  lengths.forEach((count, pair) => {
    for (let s = 0; s < count; s++) {
      ids[pair * length + s] = BigInt(generator.below(config.vocab_size));
      mask[pair * length + s] = 1n;
      types[pair * length + s] = BigInt(2 * s >= count ? 1 : 0);
    }
  });
  const targets = new Float32Array(pairs);
  for (let list = 0; list < lists; list++) {
    const raw = Array.from({ length: size }, () => generator.next());
    const total = raw.reduce((a, b) => a + b, 0);
    targets.set(
      raw.map((value) => value / total),
      list * size,
    );
  }
  const graph = gradientGraph(layout, (net, weights) => {
    const table = net.graph.weights('words', [config.vocab_size, config.hidden_size], words);
    const input = (name: string) => net.graph.input(name, [pairs, length], 'int64');
    const states = bertEncoder(net, config, weights, {
      tokens: net.graph.gather(table, input('input_ids')),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    });
    const scores = net.reshape(classificationHead(net, weights, states), [lists, size]);
    return listwiseLoss(net, scores, net.graph.input('targets', [lists, size]));
  });
  const tensor = (data: BigInt64Array): Tensor => ({ type: 'int64', dims: [pairs, length], data });
  const feeds: Record<string, Tensor> = {
    input_ids: tensor(ids),
    attention_mask: tensor(mask),
    token_type_ids: tensor(types),
    targets: { type: 'float32', dims: [lists, size], data: targets },
  };
  return { layout, parameters, words, lengths, ids, types, targets, graph, feeds };
}

async function evaluate(
  session: Session,
  { layout, feeds }: Pick<ReturnType<typeof problem>, 'layout' | 'feeds'>,
  parameters: Float32Array,
) {
  const all = { ...feeds };
  for (const { name, shape, offset, size } of layout.entries) {
    all[name] = { type: 'float32', dims: shape, data: parameters.subarray(offset, offset + size) };
  }
  const results = await session.run(all);
  const gradient = new Float32Array(layout.size);
  for (const { name, offset } of layout.entries) {
    gradient.set(results[gradientOf(name)]!.data as Float32Array, offset);
  }
  return { loss: (results.loss!.data as Float32Array)[0]!, gradient };
}

/** The loss in float64, sequence by sequence, without padding. */
function referenceLoss(
  { config, lists, size, length }: Setting,
  { layout, words, lengths, ids, types, targets }: ReturnType<typeof problem>,
  parameters: Float64Array,
): number {
  const named = unflatten(layout, parameters);
  const table = Float64Array.from(words);
  let total = 0;
  for (let list = 0; list < lists; list++) {
    const scores = Array.from({ length: size }, (_, i) => {
      const pair = list * size + i;
      const from = pair * length;
      const cut = (data: BigInt64Array) => Array.from(data.subarray(from, from + lengths[pair]!), Number);
      return referenceLogit(config, named, table, cut(ids), cut(types));
    });
    const normaliser = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    scores.forEach((score, i) => {
      total -= targets[list * size + i]! * (score - normaliser);
    });
  }
  return total / lists;
}

const unflatten = (layout: FlatLayout, flat: Float64Array): Reference =>
  Object.fromEntries(
    layout.entries.map(({ name, offset, size }) => [name, flat.subarray(offset, offset + size)]),
  );

describe('gradients of the training graph', () => {
  test('of every parameter of a small model agree with differences in float64', async () => {
    const made = problem(SMALL, 0.4);
    const session = await openSession(made.graph, { threads: 1 });
    const { loss, gradient } = await evaluate(session, made, made.parameters);
    await session.release();
    const point = Float64Array.from(made.parameters);
    expect(Math.abs(loss - referenceLoss(SMALL, made, point))).toBeLessThan(1e-6);

    const step = 1e-5;
    let worst = 0;
    let largest = 0;
    for (let i = 0; i < point.length; i++) {
      const value = point[i]!;
      point[i] = value + step;
      const above = referenceLoss(SMALL, made, point);
      point[i] = value - step;
      const below = referenceLoss(SMALL, made, point);
      point[i] = value;
      const difference = (above - below) / (2 * step);
      worst = Math.max(worst, Math.abs(gradient[i]! - difference));
      largest = Math.max(largest, Math.abs(difference));
    }
    expect(largest).toBeGreaterThan(0.1);
    expect(worst).toBeLessThan(1e-5 * Math.max(1, largest));
  });

  // Sums over repeated indices go wrong only at sizes where ONNX Runtime divides the work among threads.
  test('of a large batch are those of one thread, and the loss falls along them as fast as they say', async () => {
    const large: Setting = {
      config: {
        ...SMALL.config,
        hidden_size: 96,
        intermediate_size: 192,
        num_attention_heads: 4,
        num_hidden_layers: 1,
        vocab_size: 500,
        max_position_embeddings: 128,
      },
      lists: 4,
      size: 8,
      length: 96,
    };
    const made = problem(large, 0.08);
    const one = await openSession(made.graph, { threads: 1 });
    const expected = await evaluate(one, made, made.parameters);
    const two = await openSession(made.graph, { threads: 2 });
    const got = await evaluate(two, made, made.parameters);
    const norm = Math.hypot(...chunkNorms(expected.gradient));
    const off = Math.hypot(...chunkNorms(expected.gradient.map((value, i) => value - got.gradient[i]!)));
    expect(off).toBeLessThan(1e-5 * norm);

    const step = 0.02;
    const moved = (sign: number) =>
      made.parameters.map((value, i) => value + (sign * step * got.gradient[i]!) / norm);
    const above = await evaluate(two, made, moved(1));
    const below = await evaluate(two, made, moved(-1));
    expect((above.loss - below.loss) / (2 * step) / norm).toBeCloseTo(1, 1);
    await one.release();
    await two.release();
  });
});

/** Norms of pieces, since a call takes only so many arguments. */
function chunkNorms(values: Float32Array): number[] {
  const norms: number[] = [];
  for (let i = 0; i < values.length; i += 1000) norms.push(Math.hypot(...values.subarray(i, i + 1000)));
  return norms;
}
