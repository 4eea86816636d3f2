import { expect } from '@jest/globals';
import type { Autodiff } from '../../ts/graph/autodiff.ts';
import type { Parameters } from '../../ts/graph/bert.ts';
import { flatLayout } from '../../ts/graph/flatLayout.ts';
import { gradientGraph, gradientOf } from '../../ts/graph/gradientGraph.ts';
import type { Tensor as GraphTensor } from '../../ts/graph/graph.ts';
import { openSession, type Tensor } from '../../ts/models/session.ts';

export interface GradientCase {
  /** Parameters by name -> shape. */
  shapes: Record<string, number[]>;
  values: Record<string, Float32Array>;
  /** A scalar. */
  emit: (net: Autodiff, parameters: Parameters) => GraphTensor;
  /** The same in float64. */
  reference: (values: Record<string, Float64Array>) => number;
  feeds?: Record<string, Tensor>;
  threads?: number;
}

/** Compares a loss with its meaning in float64, and its gradients with central differences of that. */
export async function checkGradient(tested: GradientCase): Promise<void> {
  const { shapes, values, emit, reference, feeds = {}, threads = 1 } = tested;
  const session = await openSession(gradientGraph(flatLayout(shapes), emit), { threads });
  const fed: Record<string, Tensor> = { ...feeds };
  for (const [name, data] of Object.entries(values))
    fed[name] = { type: 'float32', dims: shapes[name]!, data };
  const results = await session.run(fed);
  await session.release();
  const point = Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, Float64Array.from(data)]),
  );
  const wanted = reference(point);
  expect(Math.abs((results.loss!.data as Float32Array)[0]! - wanted)).toBeLessThan(
    2e-5 * Math.max(1, Math.abs(wanted)),
  );
  const step = 1e-5;
  for (const [name, data] of Object.entries(point)) {
    const gradient = results[gradientOf(name)]!.data as Float32Array;
    const differences = data.map((value, i) => {
      data[i] = value + step;
      const above = reference(point);
      data[i] = value - step;
      const below = reference(point);
      data[i] = value;
      return (above - below) / (2 * step);
    });
    const largest = Math.max(1, ...differences.map(Math.abs));
    const worst = Math.max(...differences.map((value, i) => Math.abs(value - gradient[i]!)));
    expect(worst).toBeLessThan(2e-5 * largest);
  }
}
