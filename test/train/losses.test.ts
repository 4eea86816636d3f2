import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { infoNce } from '../../ts/train/losses/infoNce.ts';
import { listwise } from '../../ts/train/losses/listwise.ts';
import type { Judged, Loss } from '../../ts/train/losses/loss.ts';
import { margin } from '../../ts/train/losses/margin.ts';
import { bce, pointwiseKl } from '../../ts/train/losses/pointwise.ts';
import { cosine, mse } from '../../ts/train/losses/teacher.ts';
import { checkGradient } from '../graph/checkGradient.ts';

const lists = 3;
const size = 4;
const dim = 5;
const texts = lists * (1 + size);

/** Random judgements, about a quarter of them unknown; the first document of a list is relevant, but in the last list. */
function drawJudged(seed: number, columns: number): Judged {
  const generator = random(seed);
  const some = (draw: () => number): Float32Array =>
    Float32Array.from({ length: lists * size }, () => (generator.next() < 0.25 ? Number.NaN : draw()));
  const grades = some(() => generator.below(4));
  grades[0] = 3;
  grades[size] = 1;
  grades[2 * size] = 0;
  const vectors = Float32Array.from({ length: texts * dim }, () => generator.normal());
  vectors.fill(0, 2 * dim, 3 * dim); // a query that does not count
  return {
    lists,
    size,
    columns,
    grades,
    labels: some(() => generator.next()),
    scores: some(() => 2 * generator.normal()),
    negative: Uint8Array.from({ length: lists * columns }, () => generator.below(2)),
    vectors: { queries: vectors.slice(0, lists * dim), documents: vectors.slice(lists * dim) },
  };
}

type Reference = (judged: Judged, own: Float64Array, all: Float64Array, vectors: Float64Array) => number;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const mean = (values: number[]): number =>
  values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
const known = (values: Float32Array): number[] => [...values.keys()].filter((i) => !Number.isNaN(values[i]!));
const logSum = (scores: number[]): number => Math.log(scores.reduce((total, s) => total + Math.exp(s), 0));
const inList = (list: number): number[] => Array.from({ length: size }, (_, i) => list * size + i);

const listwiseOf =
  (key: 'grades' | 'labels' | 'scores', t: number): Reference =>
  (judged, own) => {
    let total = 0;
    for (let list = 0; list < lists; list++) {
      const there = inList(list).filter((at) => !Number.isNaN(judged[key][at]!));
      const raw = there.map((at) => judged[key][at]!);
      const gain = {
        grades: (g: number) => 2 ** g - 1,
        labels: (p: number) => p,
        scores: (s: number) => Math.exp(s / t),
      };
      let targets = raw.map(gain[key]);
      const all = targets.reduce((a, b) => a + b, 0);
      targets = targets.map((x) => (all > 0 ? x / all : key === 'labels' ? 0 : 1 / targets.length));
      const normaliser = logSum(there.map((at) => own[at]! / t));
      total -= there.reduce((part, at, i) => part + targets[i]! * (own[at]! / t - normaliser), 0);
    }
    return total / lists;
  };

const entropy = (p: number, q: number): number => -p * Math.log(q) - (1 - p) * Math.log(1 - q);

const cases: [name: string, loss: Loss, columns: number, reference: Reference][] = [
  ...[size, lists * size].map((columns): [string, Loss, number, Reference] => [
    `infoNce over ${columns} documents`,
    infoNce({ temperature: 0.5 }),
    columns,
    (judged, _, all) =>
      mean(
        [0, 1].map((list) => {
          const target = columns === size ? 0 : list * size;
          const row = Array.from({ length: columns }, (_, column) => column).filter(
            (column) => column === target || judged.negative[list * columns + column] === 1,
          );
          const scaled = (column: number): number => all[list * columns + column]! / 0.5;
          return logSum(row.map(scaled)) - scaled(target);
        }),
      ),
  ]),
  [
    'margin',
    margin({ margin: 0.7 }),
    size,
    ({ grades }, own) => {
      const pairs = [0, 1, 2].flatMap((list) =>
        inList(list).flatMap((i) => inList(list).map((j): [number, number] => [i, j])),
      );
      const ordered = pairs.filter(([i, j]) => grades[i]! > grades[j]!);
      return mean(ordered.map(([i, j]) => Math.max(0, 0.7 - (own[i]! - own[j]!))));
    },
  ],
  ['listwise to grades', listwise({ temperature: 0.8, to: 'grades' }), size, listwiseOf('grades', 0.8)],
  ['listwise to labels', listwise({ temperature: 0.8, to: 'labels' }), size, listwiseOf('labels', 0.8)],
  ['listwise to scores', listwise({ temperature: 0.8, to: 'scores' }), size, listwiseOf('scores', 0.8)],
  [
    'bce',
    bce({ temperature: 0.6 }),
    size,
    ({ labels }, own) => mean(known(labels).map((i) => entropy(labels[i]!, sigmoid(own[i]! / 0.6)))),
  ],
  [
    'pointwiseKl',
    pointwiseKl({ temperature: 0.6 }),
    size,
    ({ scores }, own) =>
      mean(
        known(scores).map((i) => {
          const p = sigmoid(scores[i]! / 0.6);
          return entropy(p, sigmoid(own[i]! / 0.6)) - entropy(p, p);
        }),
      ),
  ],
  ['mse', mse(), size, ({ scores }, own) => mean(known(scores).map((i) => (own[i]! - scores[i]!) ** 2))],
  [
    'cosine',
    cosine(),
    size,
    ({ vectors: teachers }, _own, _all, vectors) => {
      const teacher = [...teachers!.queries, ...teachers!.documents];
      return mean(
        Array.from({ length: texts }, (_, text) => text)
          .filter((text) => text !== 2)
          .map((text) =>
            Array.from({ length: dim }, (_, d) => vectors[text * dim + d]! * teacher[text * dim + d]!).reduce(
              (rest, product) => rest - product,
              1,
            ),
          ),
      );
    },
  ],
];

describe('losses and their gradients are their formulas in float64', () => {
  test.each(cases)('%s', async (_, loss, columns, reference) => {
    for (const seed of [1, 2, 3]) {
      const judged = drawJudged(seed, columns);
      const generator = random(100 + seed);
      const draw = (length: number) => Float32Array.from({ length }, () => 2 * generator.normal());
      const shapes = {
        own: [lists, size],
        all: [lists, columns],
        queries: [lists, dim],
        documents: [lists * size, dim],
      };
      await checkGradient({
        shapes,
        values: {
          own: draw(lists * size),
          all: draw(lists * columns),
          queries: draw(lists * dim),
          documents: draw(lists * size * dim),
        },
        feeds: Object.fromEntries(
          Object.entries(loss.feeds(judged)).map(([name, tensor]) => [`fed.${name}`, tensor]),
        ),
        emit: (net, { own, all, queries, documents }) => {
          const input = (name: string, shape: readonly number[]) => net.graph.input(`fed.${name}`, shape);
          const value = loss.emit(
            net,
            { own: own!, all: all!, vectors: { queries: queries!, documents: documents! } },
            input,
          );
          // Each parameter takes part, so that each has a gradient.
          const rest = [own!, all!, queries!, documents!].map((x) => net.scale(net.total(x), 0.1));
          return rest.reduce((total, x) => net.add(total, x), value);
        },
        reference: ({ own, all, queries, documents }) => {
          const rest = [own!, all!, queries!, documents!].map((x) => 0.1 * x.reduce((a, b) => a + b, 0));
          return (
            reference(judged, own!, all!, Float64Array.of(...queries!, ...documents!)) +
            rest.reduce((a, b) => a + b, 0)
          );
        },
      });
    }
  });

  test('of a batch of which nothing is known are 0', () => {
    const nothing = new Float32Array(lists * size).fill(Number.NaN);
    const judged: Judged = {
      ...drawJudged(1, size),
      grades: nothing,
      labels: nothing,
      scores: nothing,
      vectors: { queries: new Float32Array(lists * dim), documents: new Float32Array(lists * size * dim) },
    };
    const weighing = ['targets', 'weights', 'pairs', 'queries', 'documents', 'greatest'];
    for (const [name, loss, columns] of cases.filter(([, , columns]) => columns === size)) {
      const feeds = Object.entries(loss.feeds(judged)).filter(([feed]) => weighing.includes(feed));
      const sums = feeds.map(([feed, { data }]) => [
        feed,
        (data as Float32Array).some((value) => value !== 0),
      ]);
      expect([name, columns, ...sums]).toEqual([name, size, ...feeds.map(([feed]) => [feed, false])]);
    }
  });
});
