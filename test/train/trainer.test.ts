import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { flatLayout } from '../../ts/graph/flatLayout.ts';
import { learningRate } from '../../ts/train/schedule.ts';
import { type StepReport, type TrainOptions, train } from '../../ts/train/trainer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seine-train-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const dim = 6;
const batch = 8;
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 0.5 };
const layout = flatLayout({ weight: [dim, 1], bias: [1] });

/** Least squares for a known plane. */
function plane(name: string, onStep?: (report: StepReport) => void): TrainOptions {
  return {
    layout,
    initial: new Float32Array(layout.size),
    optimizer,
    steps: 60,
    warmup: 5,
    peak: 0.1,
    checkpoint: join(folder, name),
    checkpointSteps: 20,
    identity: 'plane',
    threads: 1,
    onStep,
    batch: (step) => {
      const generator = random(step);
      const x = Float32Array.from({ length: batch * dim }, () => generator.normal());
      const y = Float32Array.from({ length: batch }, (_, i) => 3 + x[i * dim]! - 2 * x[i * dim + 1]!);
      return {
        bucket: 'only',
        feeds: {
          x: { type: 'float32', dims: [batch, dim], data: x },
          y: { type: 'float32', dims: [batch, 1], data: y },
        },
      };
    },
    loss: () => (net, parameters) => {
      const x = net.graph.input('x', [batch, dim]);
      const y = net.graph.input('y', [batch, 1]);
      const error = net.sub(net.linear(x, parameters.weight!, parameters.bias!), y);
      return net.scale(net.total(net.mul(error, error)), 1 / batch);
    },
  };
}

/** The same by the published formulas, in float64. */
function reference(options: TrainOptions): Float64Array {
  const p = new Float64Array(dim + 1);
  const mean = new Float64Array(dim + 1);
  const variance = new Float64Array(dim + 1);
  for (let step = 1; step <= options.steps; step++) {
    const { x, y } = options.batch(step).feeds;
    const gradient = new Float64Array(dim + 1);
    for (let i = 0; i < batch; i++) {
      let error = p[dim]! - Number(y!.data[i]);
      for (let d = 0; d < dim; d++) error += p[d]! * Number(x!.data[i * dim + d]);
      for (let d = 0; d < dim; d++) gradient[d]! += (2 * error * Number(x!.data[i * dim + d])) / batch;
      gradient[dim]! += (2 * error) / batch;
    }
    const ratio = optimizer.clipNorm / Math.max(Math.hypot(...gradient), optimizer.clipNorm);
    const rate = learningRate(step, options);
    for (let i = 0; i <= dim; i++) {
      const g = gradient[i]! * ratio;
      mean[i] = optimizer.beta1 * mean[i]! + (1 - optimizer.beta1) * g;
      variance[i] = optimizer.beta2 * variance[i]! + (1 - optimizer.beta2) * g * g;
      const direction =
        mean[i]! /
        (1 - optimizer.beta1 ** step) /
        (Math.sqrt(variance[i]! / (1 - optimizer.beta2 ** step)) + 1e-8);
      p[i]! -= rate * (direction + (i < dim ? optimizer.weightDecay * p[i]! : 0));
    }
  }
  return p;
}

test('a run is AdamW with clipping, warm-up and decay as the formulas say, and the loss falls', async () => {
  const reports: StepReport[] = [];
  const options = plane('run', (report) => reports.push(report));
  const got = await train(options);
  reference(options).forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-3);
  });
  expect(reports.length).toBe(60);
  expect(reports.at(-1)!.loss).toBeLessThan(0.2 * reports[0]!.loss);
});

test('a run that was interrupted goes on from its checkpoint to the very same result', async () => {
  const whole = await train(plane('whole'));
  const stopped = plane('stopped', ({ step }) => {
    if (step === 47) throw new Error('interrupted');
  });
  await expect(train(stopped)).rejects.toThrow('interrupted');
  const steps: number[] = [];
  const resumed = await train(plane('stopped', ({ step }) => steps.push(step)));
  expect(steps[0]).toBe(41);
  expect(resumed).toEqual(whole);
});

test('a checkpoint of another training is refused', async () => {
  await train(plane('taken'));
  const other = { ...plane('taken'), identity: 'another' };
  await expect(train(other)).rejects.toMatchObject({ code: 'ERR_MODEL_MISMATCH' });
});

test('a loss that is not finite stops the training', async () => {
  const broken = plane('broken');
  broken.batch = () => {
    const made = plane('broken').batch(1);
    made.feeds.y!.data[0] = Number.NaN;
    return made;
  };
  await expect(train(broken)).rejects.toMatchObject({ code: 'ERR_MODEL_OUTPUT' });
});
