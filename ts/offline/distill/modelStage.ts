import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeineError, show } from '../../core/errors.ts';
import { type BertConfig, POSITION_EMBEDDINGS } from '../../graph/bert.ts';
import { type BertHead, bertInference } from '../../graph/bertInference.ts';
import { bertWeights } from '../../graph/bertWeights.ts';
import { openCheckpoint } from '../../graph/checkpoint.ts';
import { featuresOf } from '../../models/featureWeights.ts';
import { FEATURES_FILE } from '../../models/layout.ts';
import { EVALUATION } from './evaluationStage.ts';
import { readJsonLines } from './jsonl.ts';
import { modelCard } from './modelCard.ts';
import { principalRotation } from './principalRotation.ts';
import type { DistillRecipe } from './recipe.ts';
import { sampleTexts } from './sampleTexts.ts';
import { SPLITS } from './splitStage.ts';
import type { Stage } from './stage.ts';
import { DATA, modelIn, type TrainingLine } from './trainStage.ts';
import { type TrimmedVocabulary, trimVocabulary } from './trimVocabulary.ts';
import { TUNING, type Tuning } from './tuningStage.ts';
import { writeModel } from './writeModel.ts';

export interface ModelSources {
  student: string;
  splits: string;
  tuning?: string | undefined;
  evaluation?: string | undefined;
}

/** Lines of training data that the axes of an embedder's vectors come from, about. */
const ROTATED_LINES = 2500;

/** Writes the finished model: an ONNX graph with int8 weights, tokenizer, settings, and a card with the measured figures. */
export function modelStage(
  recipe: DistillRecipe,
  sources: ModelSources,
  signal: AbortSignal | undefined,
): Stage {
  const { name, task, matryoshka, scripts, card } = recipe;
  const given = Object.entries(sources).filter(([, path]) => path !== undefined);
  return {
    name: 'model',
    options: { name, task, matryoshka, scripts },
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
      const read = async (from: string | undefined, file: string) =>
        from === undefined ? undefined : JSON.parse(await readFile(join(from, file), 'utf8'));
      const tuning: Tuning | undefined = await read(sources.tuning, TUNING);
      const training = await read(student, 'training.json');
      const maxTokens: number = training.maxTokens;
      const { weights, wordEmbeddings } = bertWeights(checkpoint, shape, labels);
      // No position after the last token that is read was learnt.
      const places = Math.min(shape.max_position_embeddings, maxTokens);
      weights[POSITION_EMBEDDINGS] = weights[POSITION_EMBEDDINGS]!.subarray(0, places * shape.hidden_size);
      const features = task === 'bi-encoder' ? await featuresOf(student) : undefined;
      const rotation =
        matryoshka &&
        (await principalRotation(
          student,
          sampleTexts(await readJsonLines<TrainingLine>(join(sources.student, DATA)), ROTATED_LINES),
          { maxTokens, signal },
        ));
      const head: BertHead = labels > 0 ? { labels } : { pooling: 'mean', rotation };
      const { dtype: _, ...kept } = config;
      const trimmed = scripts && trimVocabulary(await read(student, 'tokenizer.json'), scripts);
      const words = trimmed ? rowsOf(wordEmbeddings, shape.hidden_size, trimmed) : wordEmbeddings;
      const sizes = { max_position_embeddings: places, ...(trimmed && vocabularyOf(trimmed, config)) };
      await writeModel(
        directory,
        {
          'onnx/model.onnx': bertInference({ ...shape, ...sizes }, head, weights, words, 'int8'),
          'config.json': {
            ...kept,
            ...sizes,
            ...(matryoshka && { matryoshka_dimensions: matryoshka }),
          },
          ...(labels > 0
            ? { 'seine.json': tuning === undefined ? {} : { blend: tuning.blend } }
            : { 'sentence_bert_config.json': { max_seq_length: maxTokens, do_lower_case: false } }),
          ...(features && { [FEATURES_FILE]: features }),
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
        { from: student, tokenizer: trimmed?.tokenizer, maxTokens },
      );
    },
  };
}

/** What a configuration says of a trimmed vocabulary. */
const vocabularyOf = ({ rows }: TrimmedVocabulary, { pad_token_id: pad }: Record<string, unknown>) => ({
  vocab_size: rows.length,
  ...(typeof pad === 'number' && { pad_token_id: rows.indexOf(pad) }),
});

/** Rows of `[all, columns]` in the order of a trimmed vocabulary. */
function rowsOf(table: Float32Array, columns: number, { rows }: TrimmedVocabulary): Float32Array {
  const out = new Float32Array(rows.length * columns);
  for (const [i, row] of rows.entries())
    out.set(table.subarray(row * columns, (row + 1) * columns), i * columns);
  return out;
}
