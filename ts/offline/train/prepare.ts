import { SeineError } from '../../core/errors.ts';
import { type Checkpoint, openCheckpoint } from '../../graph/checkpoint.ts';
import { part } from '../../graph/decoderOps.ts';
import type { Source } from '../../graph/families/family.ts';
import type { Tensor } from '../../graph/graph.ts';
import { lastTokens } from '../../graph/positions.ts';
import { poolStates, unitLength } from '../../graph/sentenceEmbedding.ts';
import { TrainableTransformer } from '../../graph/trainableTransformer.ts';
import { wordColumns } from '../../graph/wordColumns.ts';
import type { FeatureScale } from '../../models/featureWeights.ts';
import { jointReader } from '../../models/jointReader.ts';
import { modelTokenizer } from '../../models/modelTokenizer.ts';
import { PROMPT_FILE, readPrompt } from '../../models/prompt.ts';
import { MOST_PROMPTED_TOKENS } from '../../models/promptedModel.ts';
import { promptReader } from '../../models/promptReader.ts';
import { type PromptTokens, promptTokens } from '../../models/promptTokens.ts';
import type { ModelFiles } from '../../models/resolveModel.ts';
import { readModules, readPooling, readPrompts } from '../../models/sentenceModules.ts';
import { checkVocabulary } from '../../models/textGraph.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import { tokenLimit } from '../../models/tokenLimit.ts';
import { type BiEncoderOptions, biEncoder } from '../../train/biEncoder.ts';
import { relevantDocuments } from '../../train/judge.ts';
import { pairRanker } from '../../train/pairRanker.ts';
import type { Task } from '../../train/task.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';
import { featureScales } from './featureScales.ts';
import { lossesOf } from './lossesOf.ts';
import type { Recipe } from './recipe.ts';
import { type TeacherOptions, teacherOf } from './teacherOf.ts';

/** A model that is ready to be trained. */
export interface Prepared {
  files: ModelFiles;
  config: Readonly<Record<string, unknown>>;
  model: TrainableTransformer;
  task: Task;
  maxTokens: number;
  /** Of the recipe's features, over the data. */
  features: FeatureScale[];
}

/** Where a teacher's vectors are kept, and who hears of them. */
export type Teaching = Omit<TeacherOptions, 'dim' | 'maxTokens'>;

/**
 * Opens the model of a recipe as what it is to become. Errors: `ERR_MODEL` if it cannot be trained so, `ERR_ARGUMENT`
 * if it cannot read as many tokens as the recipe says.
 */
export async function prepare(
  recipe: Recipe,
  files: ModelFiles,
  groups: readonly TrainingGroup[],
  teaching: Teaching,
): Promise<Prepared> {
  const checkpoint = openCheckpoint(files.directory);
  const { config } = checkpoint;
  const tokenizer = await modelTokenizer(files.directory);
  checkVocabulary(files, tokenizer, config);
  const most = await tokenLimit(files, tokenizer, config, recipe.maxTokens);
  const isPrompted = recipe.task === 'ranker' && recipe.maxTokens === undefined;
  const maxTokens = isPrompted ? Math.min(most, MOST_PROMPTED_TOKENS) : most;
  const common = {
    padId: typeof config.pad_token_id === 'number' ? config.pad_token_id : tokenizer.padId,
    lists: recipe.batch,
    size: recipe.documents,
    maxTokens,
    loss: lossesOf(recipe),
  };
  const features = featureScales(recipe.features ?? [], groups);
  const made = await {
    'bi-encoder': () => {
      const objectives = recipe.objectives?.length ?? 1;
      const options = { ...common, tokenizer, features, objectives };
      return embedderOf(recipe, groups, files, checkpoint, options, teaching);
    },
    'cross-encoder': () => {
      const objectives = recipe.objectives?.length ?? 1;
      const model = new TrainableTransformer(checkpoint, (source, family, inputs, states) =>
        family.classify(source, inputs, states, objectives),
      );
      const reader = jointReader(tokenizer, maxTokens);
      return { model, task: pairRanker({ ...common, model, reader, objectives }) };
    },
    ranker: async () => {
      const prompt = await promptOf(files, tokenizer, maxTokens);
      const { labels } = prompt;
      const model = new TrainableTransformer(checkpoint, (source, _, { mask }, states) =>
        labelScore(source, lastTokens(source.net, states, mask), labels),
      );
      return {
        model,
        task: pairRanker({
          ...common,
          model,
          reader: promptReader(tokenizer, prompt, maxTokens),
          objectives: 1,
        }),
      };
    },
  }[recipe.task]();
  return { files, config, maxTokens, features, ...made };
}

/** The logit of yes less that of no. */
function labelScore(source: Source, states: Tensor, { yes, no }: PromptTokens['labels']): Tensor {
  const { net } = source;
  const logits = net.matmul(states, wordColumns(source, [yes, no]));
  return net.sub(part(net, logits, 1, 0, 1), part(net, logits, 1, 1, 2));
}

/** The prompt of a decoder, found to leave room for texts. */
async function promptOf(files: ModelFiles, tokenizer: Tokenizer, maxTokens: number): Promise<PromptTokens> {
  const path = files.files[PROMPT_FILE];
  if (path === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `The model ${files.name} should be a language model with weights in safetensors or GGUF for the task ranker: ` +
        'choose another one, or the task cross-encoder.',
    );
  }
  const prompt = promptTokens(await readPrompt(path), tokenizer);
  const taken = prompt.prefix('').length + prompt.suffix.length;
  if (maxTokens - taken >= 2) return prompt;
  throw new SeineError(
    'ERR_ARGUMENT',
    `recipe.maxTokens should leave room for query and document beside the ${taken} tokens of the prompt, got ` +
      `${maxTokens}: raise it.`,
  );
}

async function embedderOf(
  recipe: Recipe,
  groups: readonly TrainingGroup[],
  files: ModelFiles,
  checkpoint: Checkpoint,
  common: Omit<BiEncoderOptions, 'model' | 'similarity' | 'prompts' | 'relevant' | 'teacher'>,
  teaching: Teaching,
): Promise<Pick<Prepared, 'model' | 'task'>> {
  const similarity = recipe.similarity ?? 'cosine';
  const pooling = await readPooling(files, await readModules(files));
  if (pooling === 'max') {
    throw new SeineError(
      'ERR_MODEL',
      `The embedder ${files.name} takes the greatest of its tokens' vectors, which cannot be trained: choose another ` +
        'model, or set its 1_Pooling/config.json to the mean.',
    );
  }
  const model = new TrainableTransformer(checkpoint, ({ net }, _, { mask }, states) =>
    unitLength(net, similarity === 'maxSim' ? states : poolStates(net, states, mask, pooling)),
  );
  const task = biEncoder({
    ...common,
    model,
    similarity,
    prompts: await readPrompts(files),
    relevant: relevantDocuments(groups),
    teacher:
      recipe.teacher === undefined
        ? undefined
        : await teacherOf(recipe.teacher, groups, {
            ...teaching,
            dim: checkpoint.config.hidden_size,
            maxTokens: common.maxTokens,
          }),
  });
  return { model, task };
}
