import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { openCheckpoint } from '../../graph/checkpoint.ts';
import { withLayers } from '../../graph/withLayers.ts';
import { resolveModel } from '../../models/resolveModel.ts';
import { writeModelDirectory } from '../../models/writeModelDirectory.ts';
import { jsonLines } from './jsonl.ts';
import type { TrainingFields } from './recipe.ts';
import type { Report } from './report.ts';
import { sampleTexts } from './sampleTexts.ts';
import type { Stage } from './stage.ts';

/** Trains by a recipe of `seine train` and writes the model's directory; goes on from its checkpoint. */
export type Train = (
  recipe: string,
  options: {
    out: string;
    signal?: AbortSignal | undefined;
    onStep: (step: { step: number; steps: number; loss: number }) => void;
    onTeacherText: (done: number, total: number) => void;
  },
) => Promise<unknown>;

/** Writes a model without a share of its layers' neurons, fitted on texts of a file to give what it gave. */
export type Prune = (
  model: string,
  target: string,
  options: { neurons: number; calibration: string; signal?: AbortSignal | undefined },
) => Promise<unknown>;

/** A line of the data of `seine train`. */
export interface TrainingLine {
  query: string;
  documents: string[];
  grades?: (number | null)[];
  labels?: (number | null)[];
  objectives?: Record<string, (number | null)[]>;
  features?: Record<string, (number | null)[]>;
}

export interface TrainStageOptions {
  name: string;
  /** As in the recipe. */
  fields: TrainingFields;
  /** What is added to them, or put in their place. */
  added: Readonly<Record<string, unknown>>;
  /** Layers of the model that are kept. */
  layers: readonly number[] | undefined;
  /** Neurons of each layer that are kept. */
  neurons: number | undefined;
  /** What the data is made of. */
  inputs: Readonly<Record<string, string>>;
  data: () => Promise<Iterable<TrainingLine>>;
  /** Settings that decide what the data is. */
  dataOptions: unknown;
  train: Train;
  prune: Prune;
  report: Report;
  signal: AbortSignal | undefined;
}

/** Lines that texts for the choice of neurons are taken from, about. */
const CALIBRATION_LINES = 300;

/** The data within the directory of a stage that trains. */
export const DATA = 'data.jsonl';

/** The model within the directory of a stage that trains. */
export const modelIn = (directory: string): string => join(directory, 'model');

/** Trains a teacher or the student: its directory holds data, recipe and model, as `seine train` takes and makes them. */
export async function trainStage(options: TrainStageOptions): Promise<Stage> {
  const { name, fields, added, layers, neurons, inputs, data, dataOptions, train, prune, report, signal } =
    options;
  const { model, ...rest } = fields;
  const kind = added.task === 'bi-encoder' ? 'embedder' : 'ranker';
  const { hash, directory: from } = await resolveModel(model, kind);
  return {
    name,
    options: { ...rest, ...added, layers, neurons, model: hash, data: dataOptions },
    inputs,
    async run(directory) {
      await mkdir(directory, { recursive: true });
      const lines = [...(await data())];
      await writeAtomic(join(directory, DATA), jsonLines(lines));
      let start = model;
      if (layers !== undefined) {
        start = join(directory, 'start');
        await withLayersAt(from, layers, start);
      }
      if (neurons !== undefined) {
        const thin = join(directory, 'thin');
        if (!existsSync(thin)) {
          const calibration = join(directory, 'calibration.jsonl');
          const texts = sampleTexts(lines, CALIBRATION_LINES).map((text) => ({ text }));
          await writeAtomic(calibration, jsonLines(texts));
          const all = Number(openCheckpoint(start).config.intermediate_size);
          await prune(start, thin, { neurons: 1 - neurons / all, calibration, signal });
        }
        start = thin;
      }
      const recipe = { ...rest, ...added, model: start, data: [DATA] };
      const path = join(directory, 'recipe.json');
      await writeAtomic(path, `${JSON.stringify(recipe, null, 2)}\n`);
      const onStep = ({ step, steps, loss }: { step: number; steps: number; loss: number }) =>
        report('steps', step, steps, `loss ${loss.toFixed(4)}`);
      const onTeacherText = (done: number, total: number) => report('texts', done, total, 'teacher');
      await train(path, { out: modelIn(directory), signal, onStep, onTeacherText });
    },
  };
}

/** Writes the model of some layers, unless a run before has done so. */
async function withLayersAt(from: string, layers: readonly number[], target: string): Promise<void> {
  if (existsSync(target)) return; // it appears whole or not at all
  await writeModelDirectory(withLayers(openCheckpoint(from), layers), target);
}
