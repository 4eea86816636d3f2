import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bertClassifier } from '../../graph/bertClassifier.ts';
import { openCrossEncoder } from '../../models/crossEncoder.ts';
import { fusedCandidates } from './candidates.ts';
import { readGrades, readItems } from './collection.ts';
import { splitQueries } from './rankerRecipe.ts';
import { blendedNdcg, chooseBlend, mean, rankFinalists } from './rankingMeasure.ts';
import { staticVectors } from './staticVectors.ts';
import {
  mineGroups,
  openBaseTokenizer,
  type StageOptions,
  type TrainedRanker,
  trainStage,
} from './trainRecipe.ts';
import { writeModel } from './writeModel.ts';

/** Finalists that are ranked when the blend weight is chosen. */
const FINALISTS = 50;

/** Tokens of a pair that the finished model reads. */
const MAX_TOKENS = 64;

export interface BuildRankerOptions extends StageOptions {
  /** Directory that the model is written to. */
  output: string;
  /** Text of the model card. */
  card: string;
}

/**
 * Makes a small cross-encoder by a recipe: mines lists, trains, quantises, writes the model directory and chooses the
 * blend weight on training queries that were held out. Each stage's result is kept in `work`, so a build that was
 * interrupted goes on.
 */
export async function buildRanker(options: BuildRankerOptions): Promise<void> {
  const trained = await trainStage(options, await mineGroups(options));
  await writeRanker(options, trained, undefined);
  const blend = await tuneBlend(options);
  await writeRanker(options, trained, blend);
  options.onMessage(`wrote ${options.output}, blend ${blend}`);
}

async function writeRanker(
  { recipe, output, card }: BuildRankerOptions,
  { config, weights, wordEmbeddings }: TrainedRanker,
  blend: number | undefined,
): Promise<void> {
  const base: Record<string, unknown> = JSON.parse(await readFile(join(recipe.base, 'config.json'), 'utf8'));
  const { _name_or_path, transformers_version, ...shape } = base;
  await writeModel(
    output,
    {
      'onnx/model.onnx': bertClassifier(config, 1, weights, wordEmbeddings, 'int8'),
      'config.json': {
        ...shape,
        architectures: ['BertForSequenceClassification'],
        num_hidden_layers: config.num_hidden_layers,
        num_labels: 1,
        id2label: { 0: 'relevance' },
        label2id: { relevance: 0 },
      },
      'seine.json': blend === undefined ? {} : { blend },
      'README.md': card,
    },
    { tokenizerFrom: recipe.base, maxTokens: MAX_TOKENS },
  );
}

/** The blend weight that is best for the training queries that were held out. */
async function tuneBlend({ recipe, output, onMessage }: BuildRankerOptions): Promise<number> {
  const { collection } = recipe;
  const documents = await readItems(collection.corpus);
  const { heldOut: queries } = splitQueries(await readItems(collection.queries), recipe);
  const qrels = await readGrades(collection.qrels);
  const tokenizer = await openBaseTokenizer(recipe.base);
  const texts = documents.map(({ text }) => text);
  const asked = queries.map(({ text }) => text);
  const { vectors: documentVectors, dim } = await staticVectors(recipe.embedder, tokenizer, texts, 254);
  const { vectors: queryVectors } = await staticVectors(recipe.embedder, tokenizer, asked, 254);
  const candidates = await fusedCandidates({
    documents: texts,
    documentVectors,
    queries: asked,
    queryVectors,
    dim,
    depth: recipe.depth,
  });
  onMessage('scoring held-out queries');
  const ranker = await openCrossEncoder(output);
  const ranked = await rankFinalists(ranker, documents, queries, candidates, qrels, FINALISTS);
  await ranker.close();
  const { blend, ndcg } = chooseBlend(ranked);
  const before = mean(blendedNdcg(ranked, 0));
  onMessage(`held-out NDCG@10 ${before.toFixed(4)} fused, ${ndcg.toFixed(4)} at blend ${blend}`);
  return blend;
}
