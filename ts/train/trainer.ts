import { existsSync } from 'node:fs';
import { SeineError } from '../core/errors.ts';
import type { FlatLayout } from '../graph/flatLayout.ts';
import { readSafetensors, writeSafetensors } from '../graph/safetensors.ts';
import { type AdamW, trainingStep } from '../graph/trainingStep.ts';
import { openSession, requireFinite, type Session, type Tensor } from '../models/session.ts';
import { learningRate } from './schedule.ts';

export interface Batch {
  /** Batches of one bucket have the same shapes and share a graph. */
  bucket: string;
  feeds: Record<string, Tensor>;
}

export interface StepReport {
  step: number;
  steps: number;
  loss: number;
  /** Euclidean length of the gradient before clipping. */
  gradientNorm: number;
  learningRate: number;
  milliseconds: number;
}

export interface TrainOptions {
  layout: FlatLayout;
  /** `[layout.size]`; copied. */
  initial: Float32Array;
  optimizer: AdamW;
  steps: number;
  warmup: number;
  /** Learning rate at the end of the warm-up. */
  peak: number;
  /** Emits the loss of a bucket's batches. */
  loss: (bucket: string) => Parameters<typeof trainingStep>[2];
  /** The batch of a step (1 … steps): a function of the step alone, so that training resumes where it stopped. */
  batch: (step: number) => Batch;
  /** File that holds parameters and optimiser state, replaced every `checkpointSteps` steps. */
  checkpoint: string;
  checkpointSteps: number;
  /** What the checkpoint belongs to, such as the recipe's hash: another one is refused. */
  identity: string;
  threads?: number | undefined;
  onStep?: ((report: StepReport) => void) | undefined;
}

interface State {
  parameters: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
}

/**
 * Trains until the last step and returns the parameters; continues from the checkpoint if there is one.
 * Errors: `ERR_MODEL_MISMATCH` if the checkpoint belongs to another training, `ERR_MODEL_OUTPUT` if it diverges.
 */
export async function train(options: TrainOptions): Promise<Float32Array> {
  const { layout, optimizer, steps } = options;
  let { state, step } = await start(options);
  let spare = zeroState(layout.size);
  const sessions = new Map<string, Session>();
  try {
    while (step < steps) {
      step++;
      const began = performance.now();
      const { bucket, feeds } = options.batch(step);
      let session = sessions.get(bucket);
      if (!session) {
        const graph = trainingStep(layout, optimizer, options.loss(bucket));
        session = await openSession(graph, { threads: options.threads });
        sessions.set(bucket, session);
      }
      const rate = learningRate(step, options);
      const schedule = Float32Array.of(
        rate,
        1 / (1 - optimizer.beta1 ** step),
        1 / (1 - optimizer.beta2 ** step),
      );
      const loss = new Float32Array(1);
      const norm = new Float32Array(1);
      await session.run(
        { ...feeds, ...tensors(state, ''), schedule: { type: 'float32', dims: [3], data: schedule } },
        {
          outputs: {
            ...tensors(spare, 'next_'),
            loss: { type: 'float32', dims: [], data: loss },
            gradient_norm: { type: 'float32', dims: [1], data: norm },
          },
        },
      );
      [state, spare] = [spare, state];
      requireFinite(loss, `The loss at step ${step}`);
      requireFinite(norm, `The gradient at step ${step}`);
      if (step % options.checkpointSteps === 0 || step === steps) await save(options, state, step);
      options.onStep?.({
        step,
        steps,
        loss: loss[0]!,
        gradientNorm: norm[0]!,
        learningRate: rate,
        milliseconds: performance.now() - began,
      });
    }
  } finally {
    for (const session of sessions.values()) await session.release();
  }
  return state.parameters;
}

const zeroState = (size: number): State => ({
  parameters: new Float32Array(size),
  mean: new Float32Array(size),
  variance: new Float32Array(size),
});

function tensors(state: State, prefix: string): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(state).map(([name, data]: [string, Float32Array]) => [
      prefix + name,
      { type: 'float32', dims: [data.length], data },
    ]),
  );
}

async function start({
  layout,
  initial,
  checkpoint,
  identity,
}: TrainOptions): Promise<{ state: State; step: number }> {
  if (initial.length !== layout.size) {
    throw new SeineError(
      'ERR_DIMENSION',
      `initial should have ${layout.size} values, got ${initial.length}.`,
    );
  }
  if (!existsSync(checkpoint))
    return { state: { ...zeroState(layout.size), parameters: initial.slice() }, step: 0 };
  const { tensors: saved, metadata } = await readSafetensors(checkpoint);
  const [parameters, mean, variance] = ['parameters', 'mean', 'variance'].map(
    (name) => saved.get(name)?.data,
  );
  if (metadata.identity !== identity || parameters?.length !== layout.size || !mean || !variance) {
    throw new SeineError(
      'ERR_MODEL_MISMATCH',
      `The checkpoint ${checkpoint} should belong to this training, but it belongs to another recipe: remove it.`,
    );
  }
  return { state: { parameters, mean, variance }, step: Number(metadata.step) };
}

async function save(
  { checkpoint, identity, layout }: TrainOptions,
  state: State,
  step: number,
): Promise<void> {
  const named = Object.entries(state).map(
    ([name, data]: [string, Float32Array]) => [name, { shape: [layout.size], data }] as const,
  );
  await writeSafetensors(checkpoint, new Map(named), { identity, step: String(step) });
}
