import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { Autodiff } from '../../ts/graph/autodiff.ts';
import { part, rmsNorm, rotate, silu } from '../../ts/graph/decoderOps.ts';
import { flatLayout } from '../../ts/graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../../ts/graph/gradientGraph.ts';
import type { Tensor as GraphTensor } from '../../ts/graph/graph.ts';
import { greatest, relu, softplus } from '../../ts/graph/lossOps.ts';
import { maxSim } from '../../ts/graph/maxSim.ts';
import { lastTokens, meanTokens } from '../../ts/graph/positions.ts';
import { unitLength } from '../../ts/graph/sentenceEmbedding.ts';
import { openSession, type Tensor } from '../../ts/models/session.ts';
import { checkGradient } from './checkGradient.ts';

type Values = Float64Array | number[];

/** The rows of `x`, `width` wide, each through `f`. */
function byRow(x: Values, width: number, f: (row: number[], index: number) => number[]): number[] {
  return Array.from({ length: x.length / width }, (_, i) =>
    f(Array.from(x.slice(i * width, (i + 1) * width)), i),
  ).flat();
}

const sum = (values: Values): number => Array.from(values).reduce((total, value) => total + value, 0);
const gain = [0.5, -1.5, 2, 0.1];
const angles = { cos: [0.5, 0.25, -0.75, 1], sin: [0.1, -0.9, 0.3, 0.7] };
/** Of `[3 rows, 2 positions]` with 1, 2 and 2 tokens. */
const lengths = [1, 2, 2];
const mask: Tensor = { type: 'int64', dims: [3, 2], data: BigInt64Array.of(1n, 0n, 1n, 1n, 1n, 1n) };
const vector = ({ graph }: Autodiff, name: string, values: number[]): GraphTensor =>
  graph.constantVector(name, Float32Array.from(values));
const maskOf = ({ graph }: Autodiff): GraphTensor => graph.input('mask', [3, 2], 'int64');

interface Operator {
  emit: (net: Autodiff, x: GraphTensor) => GraphTensor;
  /** Of `x` `[3, 2, 4]`. */
  reference: (x: Float64Array) => number[];
  masked?: boolean;
}

const operators: Record<string, Operator> = {
  rmsNorm: {
    emit: (net, x) => rmsNorm(net, x, vector(net, 'gain', gain), 1e-3),
    reference: (x) =>
      byRow(x, 4, (row) => {
        const root = Math.sqrt(sum(row.map((v) => v * v)) / 4 + 1e-3);
        return row.map((v, i) => (v / root) * gain[i]!);
      }),
  },
  layerNorm: {
    emit: (net, x) => net.layerNorm(x, vector(net, 'gain', gain), vector(net, 'bias', gain), 1e-3),
    reference: (x) =>
      byRow(x, 4, (row) => {
        const mean = sum(row) / 4;
        const root = Math.sqrt(sum(row.map((v) => (v - mean) ** 2)) / 4 + 1e-3);
        return row.map((v, i) => ((v - mean) / root) * gain[i]! + gain[i]!);
      }),
  },
  silu: { emit: silu, reference: (x) => Array.from(x, (v) => v / (1 + Math.exp(-v))) },
  tanh: { emit: (net, x) => net.tanh(x), reference: (x) => Array.from(x, Math.tanh) },
  relu: { emit: relu, reference: (x) => Array.from(x, (v) => Math.max(0, v)) },
  softplus: { emit: softplus, reference: (x) => Array.from(x, (v) => Math.log1p(Math.exp(v))) },
  'softplus of large values': {
    emit: (net, x) => softplus(net, net.scale(x, 100)),
    reference: (x) => Array.from(x, (v) => Math.max(0, 100 * v) + Math.log1p(Math.exp(-Math.abs(100 * v)))),
  },
  softmax: {
    emit: (net, x) => net.softmax(x),
    reference: (x) =>
      byRow(x, 4, (row) => row.map((v) => Math.exp(v) / sum(row.map((other) => Math.exp(other))))),
  },
  logSoftmax: {
    emit: (net, x) => net.logSoftmax(x),
    reference: (x) => byRow(x, 4, (row) => row.map((v) => v - Math.log(sum(row.map(Math.exp))))),
  },
  part: { emit: (net, x) => part(net, x, 2, 1, 3), reference: (x) => byRow(x, 4, (row) => row.slice(1, 3)) },
  rotate: {
    emit: (net, x) => rotate(net, x, vector(net, 'cos', angles.cos), vector(net, 'sin', angles.sin)),
    reference: (x) =>
      byRow(x, 4, (row) => {
        const turned = [-row[2]!, -row[3]!, row[0]!, row[1]!];
        return row.map((v, i) => v * angles.cos[i]! + turned[i]! * angles.sin[i]!);
      }),
  },
  unitLength: {
    emit: unitLength,
    reference: (x) => byRow(x, 4, (row) => row.map((v) => v / Math.hypot(...row))),
  },
  greatest: { emit: greatest, reference: (x) => byRow(x, 4, (row) => [Math.max(...row)]) },
  first: { emit: (net, x) => net.first(x), reference: (x) => byRow(x, 8, (row) => row.slice(0, 4)) },
  meanTokens: {
    masked: true,
    emit: (net, x) => meanTokens(net, x, maskOf(net)),
    reference: (x) =>
      byRow(x, 8, (row, i) =>
        [0, 1, 2, 3].map((d) => (row[d]! + (lengths[i] === 2 ? row[4 + d]! : 0)) / lengths[i]!),
      ),
  },
  lastTokens: {
    masked: true,
    emit: (net, x) => lastTokens(net, x, maskOf(net)),
    reference: (x) => byRow(x, 8, (row, i) => row.slice(4 * (lengths[i]! - 1), 4 * lengths[i]!)),
  },
};

describe('gradients of operators are differences in float64', () => {
  test.each(Object.entries(operators))('%s', async (_, { emit, reference, masked }) => {
    const generator = random(7);
    const weigh = (values: number[]): number => sum(values.map((value, i) => value * Math.sin(i + 1)));
    await checkGradient({
      shapes: { x: [3, 2, 4] },
      values: { x: Float32Array.from({ length: 24 }, () => generator.normal()) },
      feeds: masked ? { mask } : {},
      emit: (net, { x }) => {
        const y = emit(net, x!);
        const count = (y.shape as number[]).reduce((product, dim) => product * dim, 1);
        const waves = Array.from({ length: count }, (_, i) => Math.sin(i + 1));
        return net.total(net.mul(net.reshape(y, [count]), vector(net, 'waves', waves)));
      },
      reference: ({ x }) => weigh(reference(x!)),
    });
  });

  test('rmsNorm and layerNorm: of the gain, too', async () => {
    const generator = random(8);
    const draw = (length: number) => Float32Array.from({ length }, () => generator.normal());
    await checkGradient({
      shapes: { x: [5, 3], gain: [3], bias: [3] },
      values: { x: draw(15), gain: draw(3), bias: draw(3) },
      emit: (net, { x, gain, bias }) => {
        const y = net.layerNorm(rmsNorm(net, x!, gain!, 1e-3), gain!, bias!, 1e-2);
        return net.total(net.mul(y, y));
      },
      reference: ({ x, gain, bias }) => {
        const y = byRow(x!, 3, (row) => {
          const root = Math.sqrt(sum(row.map((v) => v * v)) / 3 + 1e-3);
          const z = row.map((v, i) => (v / root) * gain![i]!);
          const mean = sum(z) / 3;
          const deviation = Math.sqrt(sum(z.map((v) => (v - mean) ** 2)) / 3 + 1e-2);
          return z.map((v, i) => ((v - mean) / deviation) * gain![i]! + bias![i]!);
        });
        return sum(y.map((v) => v * v));
      },
    });
  });
});

test('MaxSim and its gradients are its formula in float64, padding left out', async () => {
  const generator = random(10);
  const draw = (length: number) => Float32Array.from({ length }, () => generator.normal());
  const [askedLengths, readLengths] = [
    [1, 3],
    [4, 2, 1],
  ];
  const maskFor = (lengths: number[], width: number): Tensor => ({
    type: 'int64',
    dims: [lengths.length, width],
    data: BigInt64Array.from(
      lengths.flatMap((n) => Array.from({ length: width }, (_, i) => BigInt(i < n ? 1 : 0))),
    ),
  });
  await checkGradient({
    shapes: { asked: [2, 3, 5], read: [3, 4, 5] },
    values: { asked: draw(30), read: draw(60) },
    feeds: { askedMask: maskFor(askedLengths, 3), readMask: maskFor(readLengths, 4) },
    emit: (net, { asked, read }) => {
      const input = (name: string, dims: number[]) => net.graph.input(name, dims, 'int64');
      const scores = maxSim(
        net,
        { vectors: asked!, mask: input('askedMask', [2, 3]) },
        { vectors: read!, mask: input('readMask', [3, 4]) },
      );
      const waves = Array.from({ length: 6 }, (_, i) => Math.sin(i + 1));
      return net.total(net.mul(net.reshape(scores, [6]), vector(net, 'waves', waves)));
    },
    reference: ({ asked, read }) => {
      const product = (i: number, j: number): number =>
        sum([0, 1, 2, 3, 4].map((d) => asked![i * 5 + d]! * read![j * 5 + d]!));
      let total = 0;
      askedLengths.forEach((short, query) => {
        readLengths.forEach((long, document) => {
          for (let i = 0; i < short; i++) {
            const products = Array.from({ length: long }, (_, j) => product(query * 3 + i, document * 4 + j));
            total += Math.sin(query * 3 + document + 1) * Math.max(...products);
          }
        });
      });
      return total;
    },
  });
});

test('dropout sets to 0 what it does not keep, and scales the rest up', async () => {
  const kept = [1, 0, 0, 1, 1, 0];
  const dims = [2, 3];
  const net = new Autodiff(undefined, 0.2);
  net.graph.output(net.dropout(net.graph.input('x', dims)), 'y');
  const session = await openSession(net.graph.build());
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);
  const { y } = await session.run({
    x: { type: 'float32', dims, data: x },
    'dropout.0': { type: 'bool', dims, data: Uint8Array.from(kept) },
  });
  await session.release();
  expect([...(y!.data as Float32Array)]).toEqual([...x].map((value, i) => kept[i]! * 1.25 * value));
  const without = new Autodiff();
  const same = without.graph.input('x', dims);
  expect(without.dropout(same)).toBe(same);
});

// At sizes where ONNX Runtime divides the work among threads, and with each row asked for a hundred times.
test('gradients of rows that are gathered many times add up, on several threads', async () => {
  const [rows, dim, count] = [40, 384, 4096];
  const generator = random(9);
  const ids = BigInt64Array.from({ length: count }, () => BigInt(generator.below(rows)));
  const factors = Float32Array.from({ length: count * dim }, () => generator.below(64) - 32); // exact sums
  const graph = gradientGraph(flatLayout({ table: [rows, dim] }), (net, { table }) => {
    const found = net.gather(table!, net.graph.input('ids', [64, count / 64], 'int64'));
    return net.total(net.mul(found, net.graph.input('factors', [64, count / 64, dim])));
  });
  const session = await openSession(graph, { threads: 4 });
  const dims = [64, count / 64];
  const results = await session.run({
    table: { type: 'float32', dims: [rows, dim], data: new Float32Array(rows * dim) },
    ids: { type: 'int64', dims, data: ids },
    factors: { type: 'float32', dims: [...dims, dim], data: factors },
  });
  await session.release();
  const wanted = new Float32Array(rows * dim);
  ids.forEach((id, i) => {
    for (let d = 0; d < dim; d++) wanted[Number(id) * dim + d]! += factors[i * dim + d]!;
  });
  expect(results[gradientOf('table')]!.data).toEqual(wanted);
});
