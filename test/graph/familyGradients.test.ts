import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { gradientGraph, gradientOf } from '../../ts/graph/gradientGraph.ts';
import { type GraphPooling, poolStates, unitLength } from '../../ts/graph/sentenceEmbedding.ts';
import { TrainableTransformer, type WriteHead } from '../../ts/graph/trainableTransformer.ts';
import { openSession, type Tensor } from '../../ts/models/session.ts';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${fixtures}${name}`, 'utf8'));
const texts: Record<'ids' | 'mask' | 'types', number[][]> = read('families.json');
/** By `transformers` in float64 (fixtures/makeGradients.py). */
const expected: Record<
  string,
  { loss: number; pooling: GraphPooling | null; gradients: Record<string, [norm: number, product: number]> }
> = read('gradients.json');

const waves = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));

function headOf(pooling: GraphPooling | null, labels: number): WriteHead {
  return (source, family, inputs, states) =>
    pooling === null
      ? family.classify(source, inputs, states, labels)
      : unitLength(source.net, poolStates(source.net, states, inputs.mask, pooling));
}

describe('gradients through every family', () => {
  test.each(Object.keys(expected))('%s: those of transformers in float64', async (name) => {
    const { loss, pooling, gradients } = expected[name]!;
    const model = new TrainableTransformer(
      openCheckpoint(`${fixtures}${name}`),
      headOf(pooling, name === 'bert' ? 3 : 1),
    );
    const { values, headDrawn } = model.initial(random(1));
    expect(headDrawn).toBe(false);
    const [rows, length] = [texts.ids.length, texts.ids[0]!.length];
    const graph = gradientGraph(model.layout, (net, parameters) => {
      const out = model.apply(net, parameters, model.inputs(net, 'text', [rows, 'length']));
      const count = (out.shape as number[]).reduce((product, dim) => product * dim, 1);
      const flat = net.reshape(out, [count]);
      return net.total(net.mul(flat, net.graph.constantVector('waves', waves(count))));
    });
    const feeds: Record<string, Tensor> = {};
    for (const [kind, value] of Object.entries(texts).filter(([kind]) =>
      ['ids', 'mask', 'types'].includes(kind),
    )) {
      if (kind === 'types' && !model.family.takesTypes) continue;
      const data = BigInt64Array.from(value.flat(), BigInt);
      feeds[`text.${kind}`] = { type: 'int64', dims: [rows, length], data };
    }
    for (const { name: key, shape, offset, size } of model.layout.entries) {
      feeds[key] = { type: 'float32', dims: shape, data: values.subarray(offset, offset + size) };
    }
    const session = await openSession(graph, { threads: 2 });
    const results = await session.run(feeds);
    await session.release();

    expect((results.loss!.data as Float32Array)[0]).toBeCloseTo(loss, 5);
    const named = [...model.named(values).keys()];
    const wanted = Object.keys(gradients).filter((key) => !/lm_head/.test(key));
    const bare = (keys: string[]) => keys.map((key) => key.replace(`${model.family.prefix}.`, '')).sort();
    expect(bare(named)).toEqual(bare(wanted));
    const largest = Math.max(...Object.values(gradients).map(([norm]) => norm));
    for (const { name: key, size } of model.layout.entries) {
      const gradient = results[gradientOf(key)]!.data as Float32Array;
      const [norm, product] = gradients[key] ?? gradients[`${model.family.prefix}.${key}`]!;
      const wave = waves(size);
      const got = gradient.reduce((sum, value, i) => sum + value * wave[i]!, 0);
      expect(Math.abs(Math.hypot(...gradient) - norm)).toBeLessThan(2e-5 * largest);
      expect(Math.abs(got - product)).toBeLessThan(2e-5 * largest);
    }
  });
});
