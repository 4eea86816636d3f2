import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeineError, show } from '../../core/errors.ts';
import type { BertConfig } from '../../graph/bert.ts';
import { type BertHead, bertInference } from '../../graph/bertInference.ts';
import { bertWeights } from '../../graph/bertWeights.ts';
import { openCheckpoint } from '../../graph/checkpoint.ts';
import { EVALUATION } from './evaluationStage.ts';
import { modelCard } from './modelCard.ts';
import type { DistillRecipe } from './recipe.ts';
import { SPLITS } from './splitStage.ts';
import type { Stage } from './stage.ts';
import { modelIn } from './trainStage.ts';
import { TUNING, type Tuning } from './tuningStage.ts';
import { writeModel } from './writeModel.ts';

export interface ModelSources {
  student: string;
  splits: string;
  tuning?: string | undefined;
  evaluation?: string | undefined;
}

/** Writes the finished model: an ONNX graph with int8 weights, tokenizer, settings, and a card with the measured figures. */
export function modelStage(recipe: DistillRecipe, sources: ModelSources): Stage {
  const { name, task, matryoshka, card } = recipe;
  const given = Object.entries(sources).filter(([, path]) => path !== undefined);
  return {
    name: 'model',
    options: { name, task, matryoshka },
    inputs: { ...Object.fromEntries(given), ...(card !== undefined && { card }) },
    async run(directory) {
      const student = modelIn(sources.student);
      const checkpoint = openCheckpoint(student);
      const { config } = checkpoint;
      if (config.model_type !== 'bert') {
        throw new SeineError(
          'ERR_MODEL',
          `The student should be a BERT, to be written with weights of 8 bits, but is of the type ` +
            `${show(config.model_type)}; its model of full size lies in ${student}: start from a BERT.`,
        );
      }
      const shape = config as unknown as BertConfig;
      const labels = task === 'bi-encoder' ? 0 : Number(config.num_labels);
      const head: BertHead = labels > 0 ? { labels } : { pooling: 'mean' };
      const { weights, wordEmbeddings } = bertWeights(checkpoint, shape, labels);
      const read = async (from: string | undefined, file: string) =>
        from === undefined ? undefined : JSON.parse(await readFile(join(from, file), 'utf8'));
      const tuning: Tuning | undefined = await read(sources.tuning, TUNING);
      const training = await read(student, 'training.json');
      const maxTokens: number = training.maxTokens;
      const { dtype: _, ...kept } = config;
      await writeModel(
        directory,
        {
          'onnx/model.onnx': bertInference(shape, head, weights, wordEmbeddings, 'int8'),
          'config.json': { ...kept, ...(matryoshka && { matryoshka_dimensions: matryoshka }) },
          ...(labels > 0
            ? { 'seine.json': tuning === undefined ? {} : { blend: tuning.blend } }
            : { 'sentence_bert_config.json': { max_seq_length: maxTokens, do_lower_case: false } }),
          ...(tuning && { 'calibration.json': tuning.calibration }),
          'README.md': modelCard({
            recipe,
            head: card === undefined ? undefined : await readFile(card, 'utf8'),
            training,
            splits: await read(sources.splits, SPLITS),
            tuning,
            figures: (await read(sources.evaluation, EVALUATION)) ?? [],
          }),
        },
        { tokenizerFrom: student, maxTokens },
      );
    },
  };
}
