import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { featureValues, weighFeatures } from '../../ts/train/weighFeatures.ts';
import { checkGradient } from '../graph/checkGradient.ts';

const [lists, size, count] = [3, 4, 2];

test('the weighted sum and its gradients are its formula in float64', async () => {
  for (const seed of [1, 2, 3]) {
    const generator = random(seed);
    const draw = (length: number) => Float32Array.from({ length }, () => generator.normal());
    const features = draw(lists * size * count);
    const mixture = draw(lists * size);
    await checkGradient({
      shapes: { own: [lists, size], weights: [1 + count] },
      values: {
        own: draw(lists * size),
        weights: draw(1 + count),
      },
      feeds: { features: { type: 'float32', dims: [lists * size, count], data: features } },
      emit: (net, { own, weights }) => {
        const given = net.graph.input('features', [lists * size, count]);
        const mixed = net.graph.weights('mixture', [lists, size], mixture);
        return net.total(net.mul(weighFeatures(net, own!, given, weights!), mixed));
      },
      reference: ({ own, weights }) =>
        own!.reduce((sum, value, i) => {
          const ofFeatures = weights![1]! * features[2 * i]! + weights![2]! * features[2 * i + 1]!;
          return sum + mixture[i]! * (weights![0]! * value + ofFeatures);
        }, 0),
    });
  }
});

test('features are scaled; what is not known, or fills a list up, is 0', () => {
  const group = { grades: [], labels: [], scores: [] };
  const groups = [
    { ...group, query: 'q', documents: ['a', 'b'], features: { age: [10, Number.NaN], pay: [1, 3] } },
    { ...group, query: 'r', documents: ['c'], features: { pay: [5] } },
    { ...group, query: 's', documents: ['d'] },
  ];
  const scales = [
    { attribute: 'age', mean: 4, deviation: 2 },
    { attribute: 'pay', mean: 3, deviation: 0.5 },
  ];
  expect([...featureValues(groups, 2, scales)]).toEqual([3, -4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0]);
});
