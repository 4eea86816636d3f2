import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import type { BertConfig } from '../../graph/bert.ts';
import { bertWeights, WORD_EMBEDDINGS } from '../../graph/bertWeights.ts';
import { readSafetensors, writeSafetensors } from '../../graph/safetensors.ts';
import { openTokenizer, type Tokenizer } from '../../models/tokenizer.ts';
import { type RankingGroup, trainRanker } from '../../train/rankerTraining.ts';
import type { StepReport } from '../../train/trainer.ts';
import { readGrades, readItems } from './collection.ts';
import type { RankerRecipe } from './rankerRecipe.ts';
import { splitQueries } from './rankerRecipe.ts';
import { collectionGroups, wordnetGroups } from './rankingGroups.ts';
import { readWordnet } from './wordnet.ts';

/** Mined groups by source. */
export interface MinedGroups {
  collection: RankingGroup[];
  wordnet: RankingGroup[];
}

/** A trained ranker: BERT parameters by name, matrices `[in, out]`, and its configuration. */
export interface TrainedRanker {
  config: BertConfig;
  weights: Record<string, Float32Array>;
  wordEmbeddings: Float32Array;
}

export interface StageOptions {
  recipe: RankerRecipe;
  /** Hash of the recipe: names the files of its stages. */
  identity: string;
  /** Directory for the files of the stages. */
  work: string;
  onMessage: (message: string) => void;
}

const CHECKPOINT_STEPS = 100;

export const openBaseTokenizer = (base: string): Promise<Tokenizer> =>
  openTokenizer(join(base, 'tokenizer.json'), join(base, 'tokenizer_config.json'));

/** First stage: lists of documents with grades, kept in a file. */
export async function mineGroups({ recipe, identity, work, onMessage }: StageOptions): Promise<MinedGroups> {
  const path = join(work, `groups-${identity.slice(0, 12)}.json`);
  if (existsSync(path)) return JSON.parse(await readFile(path, 'utf8'));
  await mkdir(work, { recursive: true });
  const { collection, wordnet } = recipe;
  const tokenizer = await openBaseTokenizer(recipe.base);
  const wordnetSteps = Math.floor(recipe.steps / wordnet.every);
  const common = {
    embedder: recipe.embedder,
    tokenizer,
    size: recipe.groupSize,
    depth: recipe.depth,
    seed: recipe.seed,
  };
  onMessage('mining lists of the collection');
  const documents = await readItems(collection.corpus);
  const { learn } = splitQueries(await readItems(collection.queries), recipe);
  const qrels = await readGrades(collection.qrels);
  const mined: MinedGroups = {
    collection: await collectionGroups(documents, learn, qrels, ({ metadata }) => metadata[collection.kin], {
      ...common,
      count: (recipe.steps - wordnetSteps) * collection.lists,
    }),
    wordnet: [],
  };
  onMessage('mining lists of WordNet');
  const synsets = await readWordnet(wordnet.directory);
  mined.wordnet = await wordnetGroups(synsets, { ...common, count: wordnetSteps * wordnet.lists });
  await writeAtomic(path, JSON.stringify(mined));
  return mined;
}

/** Second stage: trains on mined groups; continues from its checkpoint; the result is kept in a file. */
export async function trainStage(
  { recipe, identity, work, onMessage }: StageOptions,
  groups: MinedGroups,
): Promise<TrainedRanker> {
  const base: BertConfig = JSON.parse(await readFile(join(recipe.base, 'config.json'), 'utf8'));
  const config = { ...base, num_hidden_layers: recipe.layers.length };
  const { tensors } = await readSafetensors(join(recipe.base, 'model.safetensors'));
  const wordEmbeddings = tensors.get(WORD_EMBEDDINGS)!.data;
  const path = join(work, `trained-${identity.slice(0, 12)}.safetensors`);
  if (existsSync(path)) {
    const { tensors: trained } = await readSafetensors(path);
    const weights = Object.fromEntries(Array.from(trained, ([name, { data }]) => [name, data]));
    return { config, weights, wordEmbeddings };
  }
  const tokenizer = await openBaseTokenizer(recipe.base);
  const weights = await trainRanker({
    config,
    tokenizer,
    weights: bertWeights(tensors, config, recipe.layers, 1, random(recipe.seed)),
    wordEmbeddings,
    batches: schedule(recipe, groups),
    optimizer: recipe.optimizer,
    warmup: recipe.warmup,
    peak: recipe.peak,
    checkpoint: join(work, `checkpoint-${identity.slice(0, 12)}.safetensors`),
    checkpointSteps: CHECKPOINT_STEPS,
    identity,
    onStep: reporter(onMessage),
  });
  const named = Object.entries(weights).map(
    ([name, data]) => [name, { shape: [data.length], data }] as const,
  );
  await writeSafetensors(path, new Map(named), { identity });
  return { config, weights, wordEmbeddings };
}

/** One step in `wordnet.every` is of WordNet, the others are of the collection. */
function schedule(
  { steps, wordnet, collection }: RankerRecipe,
  groups: MinedGroups,
): { groups: RankingGroup[]; maxTokens: number }[] {
  const next = { wordnet: 0, collection: 0 };
  return Array.from({ length: steps }, (_, i) => {
    const source = (i + 1) % wordnet.every === 0 ? 'wordnet' : 'collection';
    const { lists, maxTokens } = source === 'wordnet' ? wordnet : collection;
    const first = next[source];
    next[source] += lists;
    return { groups: groups[source].slice(first, first + lists), maxTokens };
  });
}

/** A line every 20 steps: mean loss, learning rate, speed and time left. */
function reporter(onMessage: (message: string) => void): (report: StepReport) => void {
  const recent: StepReport[] = [];
  return (report) => {
    recent.push(report);
    if (recent.length < 20 && report.step < report.steps) return;
    const mean = (value: (report: StepReport) => number): number =>
      recent.reduce((sum, entry) => sum + value(entry), 0) / recent.length;
    const milliseconds = mean((entry) => entry.milliseconds);
    const left = ((report.steps - report.step) * milliseconds) / 60_000;
    onMessage(
      `step ${report.step}/${report.steps}  loss ${mean((entry) => entry.loss).toFixed(4)}  ` +
        `gradient ${mean((entry) => entry.gradientNorm).toFixed(2)}  rate ${report.learningRate.toExponential(2)}  ` +
        `${(1000 / milliseconds).toFixed(2)} steps/s  ${left.toFixed(1)} min left`,
    );
    recent.length = 0;
  };
}
