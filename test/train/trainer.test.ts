import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { flatLayout } from '../../ts/graph/flatLayout.ts';
import type { Tensor } from '../../ts/models/session.ts';
import type { Batch } from '../../ts/train/gradients.ts';
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
function plane(name: string, onStep?: (report: StepReport) => void) {
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
    batches: (step: number): Batch[] => {
      const generator = random(step);
      const x = Float32Array.from({ length: batch * dim }, () => generator.normal());
      const y = Float32Array.from({ length: batch }, (_, i) => 3 + x[i * dim]! - 2 * x[i * dim + 1]!);
      const feeds: Batch = {
        x: { type: 'float32', dims: [batch, dim], data: x },
        y: { type: 'float32', dims: [batch, 1], data: y },
      };
      return [feeds];
    },
    loss: (net, parameters) => {
      const x = net.graph.input('x', [batch, dim]);
      const y = net.graph.input('y', [batch, 1]);
      const error = net.sub(net.linear(x, parameters.weight!, parameters.bias!), y);
      return net.scale(net.total(net.mul(error, error)), 1 / batch);
    },
  } satisfies TrainOptions;
}

/** The same by the published formulas, in float64. */
function reference(options: ReturnType<typeof plane>): Float64Array {
  const p = new Float64Array(dim + 1);
  const mean = new Float64Array(dim + 1);
  const variance = new Float64Array(dim + 1);
  for (let step = 1; step <= options.steps; step++) {
    const { x, y } = options.batches(step)[0]!;
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
  const { parameters: got } = await train(options);
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
  const steps: number[] = [];
  broken.onStep = ({ step }) => steps.push(step);
  broken.batches = (step) => {
    const made = plane('broken').batches(step);
    if (step === 33) made[0]!.y!.data[0] = Number.NaN;
    return made;
  };
  await expect(train(broken)).rejects.toMatchObject({
    code: 'ERR_MODEL_OUTPUT',
    message: expect.stringContaining('The checkpoint of step 20 is kept'),
  });
  expect(steps.at(-1)).toBe(32);
  // What is kept is good: with sound data the training goes on from it.
  expect((await train(plane('broken'))).parameters).toEqual((await train(plane('sound'))).parameters);
});

test('gradients of the batches of a step are averaged: halves of a batch train as the whole does', async () => {
  const { parameters: whole, losses } = await train(plane('one'));
  const halves = plane('two');
  halves.batches = (step) => {
    const { x, y } = plane('two').batches(step)[0]!;
    return [0, 1].map((half) => {
      const [from, to] = [(half * batch) / 2, ((half + 1) * batch) / 2];
      const part = (data: Tensor['data'], width: number): Float32Array =>
        (data as Float32Array).slice(from * width, to * width);
      return {
        x: { type: 'float32', dims: [batch / 2, dim], data: part(x!.data, dim) },
        y: { type: 'float32', dims: [batch / 2, 1], data: part(y!.data, 1) },
      };
    });
  };
  halves.loss = (net, parameters) => {
    const x = net.graph.input('x', [batch / 2, dim]);
    const y = net.graph.input('y', [batch / 2, 1]);
    const error = net.sub(net.linear(x, parameters.weight!, parameters.bias!), y);
    return net.scale(net.total(net.mul(error, error)), 2 / batch);
  };
  const got = await train(halves);
  got.parameters.forEach((value, i) => {
    expect(Math.abs(value - whole[i]!)).toBeLessThan(1e-4);
  });
  expect(Math.abs(got.losses.at(-1)! - losses.at(-1)!)).toBeLessThan(1e-4);
});

test('an aborted training keeps the step that it has reached', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborted = plane('aborted', ({ step }) => {
    if (step === 33) controller.abort(reason);
  });
  await expect(train({ ...aborted, signal: controller.signal })).rejects.toBe(reason);
  const steps: number[] = [];
  const resumed = await train(plane('aborted', ({ step }) => steps.push(step)));
  expect(steps[0]).toBe(34);
  expect(resumed).toEqual(await train(plane('never aborted')));
});

test('a batch that does not fit into memory is said to be too large', async () => {
  const large = plane('large');
  large.loss = (net, parameters) => {
    const x = net.graph.input('x', [batch, dim]);
    net.graph.input('y', [batch, 1]);
    const [rows, columns] = [2 ** 24, 2 ** 24]; // more bytes than there are addresses
    const spread = net.graph.emit(
      'Expand',
      [parameters.bias!, net.graph.integers([rows, columns])],
      [rows, columns],
    );
    const all = net.record(spread, [parameters.bias!], (grad) =>
      net.accumulate(parameters.bias!, () => grad),
    );
    return net.add(net.total(all), net.total(net.linear(x, parameters.weight!)));
  };
  await expect(train(large)).rejects.toMatchObject({
    code: 'ERR_OUT_OF_MEMORY',
    message: expect.stringContaining('take a smaller batch'),
  });
});
