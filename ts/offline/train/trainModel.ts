import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { SeineError, show } from '../../core/errors.ts';
import { sha256, writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import { threadBudget } from '../../core/threads.ts';
import { weightFiles } from '../../graph/checkpoint.ts';
import { withVectors } from '../../graph/flatLayout.ts';
import { type ModelFiles, resolveModel } from '../../models/resolveModel.ts';
import { readJson } from '../../models/tokenizer.ts';
import { batchPlan } from '../../train/batchPlan.ts';
import { drawGroup } from '../../train/drawGroup.ts';
import { learningRate } from '../../train/schedule.ts';
import { type StepReport, train } from '../../train/trainer.ts';
import { readGroups, type TrainingGroup } from '../../train/trainingGroup.ts';
import { FEATURE_RATE } from '../../train/weighFeatures.ts';
import { exportTrained } from './exportTrained.ts';
import { requireLearnable } from './lossesOf.ts';
import type { Manifest } from './manifest.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { trainingReport } from './trainingReport.ts';

export interface TrainModelOptions {
  /** Directory that the model is written to; also holds the checkpoint until the training is done. */
  out: string;
  onStep?: ((report: StepReport) => void) | undefined;
  /** Called while the teacher of an embedder encodes the texts of the data, before the first step. */
  onTeacherText?: ((done: number, total: number) => void) | undefined;
  /** Stops with a checkpoint. */
  signal?: AbortSignal | undefined;
}

const MANIFEST = 'training.json';
const CHECKPOINT = 'checkpoint.safetensors';
/** Vectors of a teacher, kept until the training is done. */
const TEACHER = 'teacher';
/** Characters of a document that a token takes, at most, when lengths are guessed. */
const CHARACTERS_PER_TOKEN = 8;

/**
 * Trains by a recipe and writes an ordinary model's directory with `training.json` and `training.html`. Goes on from
 * the checkpoint of the same training if there is one, and does nothing if it is done already. Errors: those of
 * `train`, `prepare` and `readGroups`; `ERR_ARGUMENT` if the directory holds something else, `ERR_DISK`.
 */
export async function trainModel(recipe: Recipe, options: TrainModelOptions): Promise<Manifest> {
  const { out } = options;
  const data: (Manifest['data'][number] & { read: TrainingGroup[] })[] = [];
  for (const file of recipe.data) {
    const read = await readGroups(file);
    data.push({ file: basename(file), sha256: await sha256(file), groups: read.length, read });
  }
  const groups = data.flatMap(({ read }) => read);
  requireLearnable(recipe, groups);
  if (groups.length < recipe.batch) {
    throw new SeineError(
      'ERR_DATA',
      `The data should have at least the ${recipe.batch} queries of a batch but has ${groups.length}: add some, or ` +
        'lower recipe.batch.',
    );
  }
  const files = await resolveModel(recipe.model, recipe.task === 'bi-encoder' ? 'embedder' : 'ranker');
  const about = await describe(recipe, data, files);
  const done = await present(out, about.identity);
  if (done !== undefined) return done;

  try {
    const teaching = { directory: join(out, TEACHER), signal: options.signal, onText: options.onTeacherText };
    const prepared = await prepare(recipe, files, groups, teaching);
    return await trainPrepared(recipe, groups, prepared, about, options);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof SeineError || !('syscall' in cause)) throw cause;
    throw new SeineError(
      'ERR_DISK',
      `The training should be kept in ${out} but cannot (${cause.message}): free space there, or name another ` +
        'directory. A checkpoint that is there is kept.',
      { cause },
    );
  }
}

async function trainPrepared(
  recipe: Recipe,
  groups: readonly TrainingGroup[],
  prepared: Prepared,
  about: About,
  { out, onStep, signal }: TrainModelOptions,
): Promise<Manifest> {
  const { model, task } = prepared;
  const { values, headDrawn } = model.initial(random(recipe.seed));
  const { layout, initial } = withVectors(model.layout, values, task.parameters ?? {});
  const { batch, accumulate, documents, seed } = recipe;
  const lengths = groups.map((group) => lengthOf(group, prepared.maxTokens));
  const plan = batchPlan(lengths, batch, seed);
  const steps = recipe.steps ?? Math.max(1, Math.floor((plan.batchesPerEpoch * recipe.epochs) / accumulate));
  const schedule = { steps, warmup: Math.round(recipe.warmup * steps), peak: recipe.rate };
  await mkdir(out, { recursive: true });
  const checkpoint = join(out, CHECKPOINT);
  const began = performance.now();
  const { parameters, losses, norms } = await train({
    ...schedule,
    layout,
    initial,
    further: task.parameters && { from: model.layout.size, peak: FEATURE_RATE },
    optimizer: {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: recipe.weightDecay,
      clipNorm: recipe.clipNorm,
    },
    batches: (step) => {
      const made = Array.from({ length: accumulate }, (_, part) => {
        const index = (step - 1) * accumulate + part;
        const drawn = plan.batch(index).map((group, i) => {
          return drawGroup(groups[group]!, documents, random(seed + 1 + index * batch + i));
        });
        return task.batch(drawn);
      });
      return Promise.all(made);
    },
    loss: task.loss,
    dropout: { rate: recipe.dropout, seed },
    checkpoint,
    checkpointSteps: recipe.checkpointSteps,
    identity: about.identity,
    onStep,
    signal,
  });
  const manifest: Manifest = {
    ...about,
    parameters: layout.size,
    headDrawn,
    maxTokens: prepared.maxTokens,
    steps,
    seconds: (performance.now() - began) / 1000,
    curve: {
      loss: [...losses],
      gradientNorm: [...norms],
      rate: Array.from(losses, (_, i) => learningRate(i + 1, schedule)),
    },
  };
  await exportTrained(out, recipe, prepared, parameters);
  await writeAtomic(join(out, 'training.html'), trainingReport(manifest));
  await writeAtomic(join(out, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
  await rm(checkpoint, { force: true });
  await rm(join(out, TEACHER), { recursive: true, force: true });
  return manifest;
}

/** About as long as a batch with the group will be. */
function lengthOf({ query, documents }: TrainingGroup, maxTokens: number): number {
  const longest = documents.reduce((most, document) => Math.max(most, document.length), 0);
  return Math.min(query.length + longest, CHARACTERS_PER_TOKEN * maxTokens);
}

type About = Omit<Manifest, 'parameters' | 'headDrawn' | 'maxTokens' | 'steps' | 'seconds' | 'curve'>;

async function describe(
  recipe: Recipe,
  data: readonly Manifest['data'][number][],
  { name, directory, hash: content }: ModelFiles,
): Promise<About> {
  const read = (path: string | URL): { version: string } => JSON.parse(readFileSync(path, 'utf8'));
  const seine = read(new URL('../../../package.json', import.meta.url)).version;
  const onnxruntime = read(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')).version;
  const weights = weightFiles(directory).map((file) => join(directory, file));
  const hash = createHash('sha256').update(content); // of an ONNX graph instead of the weights, where there is one
  for (const path of weights) hash.update(await sha256(path));
  const model = { name, sha256: hash.digest('hex') };
  // Paths are left out: a recipe may move together with its data.
  const { model: _model, data: _data, teacher, ...options } = recipe;
  const taught = teacher === undefined ? undefined : (await resolveModel(teacher, 'embedder')).hash;
  const contents = data.map((file) => file.sha256);
  const whole = JSON.stringify([seine, onnxruntime, options, model.sha256, taught, contents]);
  return {
    seine,
    node: process.version,
    onnxruntime,
    platform: `${process.platform}-${process.arch}`,
    threads: threadBudget(),
    identity: createHash('sha256').update(whole).digest('hex'),
    recipe,
    model,
    data: data.map(({ file, sha256, groups }) => ({ file, sha256, groups })),
  };
}

/** The manifest of this very training if it is done. Throws `ERR_ARGUMENT` if the directory holds something else. */
async function present(out: string, identity: string): Promise<Manifest | undefined> {
  if (existsSync(join(out, MANIFEST))) {
    const manifest = (await readJson(join(out, MANIFEST))) as unknown as Manifest;
    if (manifest.identity === identity) return manifest;
  } else if (
    !existsSync(out) ||
    [CHECKPOINT, TEACHER].some((name) => existsSync(join(out, name))) ||
    (await readdir(out)).length === 0
  ) {
    return undefined;
  }
  throw new SeineError(
    'ERR_ARGUMENT',
    `${show(out)} should be an empty directory or hold this training, but holds something else: choose another one.`,
  );
}
