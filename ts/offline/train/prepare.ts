import { SeineError } from '../../core/errors.ts';
import { openCheckpoint } from '../../graph/checkpoint.ts';
import { poolStates, unitLength } from '../../graph/sentenceEmbedding.ts';
import { TrainableTransformer } from '../../graph/trainableTransformer.ts';
import { type ModelFiles, resolveModel } from '../../models/resolveModel.ts';
import { readModules, readPooling, readPrompts } from '../../models/sentenceModules.ts';
import { checkVocabulary } from '../../models/textGraph.ts';
import { openTokenizer } from '../../models/tokenizer.ts';
import { tokenLimit } from '../../models/tokenLimit.ts';
import { biEncoder } from '../../train/biEncoder.ts';
import { crossEncoder } from '../../train/crossEncoder.ts';
import { relevantDocuments } from '../../train/judge.ts';
import type { Task } from '../../train/task.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';
import { lossesOf } from './lossesOf.ts';
import type { Recipe } from './recipe.ts';
import { teacherOf } from './teacherOf.ts';

/** A model that is ready to be trained. */
export interface Prepared {
  files: ModelFiles;
  config: Readonly<Record<string, unknown>>;
  model: TrainableTransformer;
  task: Task;
  maxTokens: number;
}

/**
 * Opens the model of a recipe as what it is to become. Errors: `ERR_MODEL` if it cannot be trained so, `ERR_ARGUMENT`
 * if it cannot read as many tokens as the recipe says.
 */
export async function prepare(recipe: Recipe, groups: readonly TrainingGroup[]): Promise<Prepared> {
  const isEmbedder = recipe.task === 'bi-encoder';
  const files = await resolveModel(recipe.model, isEmbedder ? 'embedder' : 'ranker');
  const checkpoint = openCheckpoint(files.directory);
  const { config } = checkpoint;
  const tokenizer = await openTokenizer(files.files['tokenizer.json']!, files.files['tokenizer_config.json']);
  checkVocabulary(files, tokenizer, config);
  const maxTokens = await tokenLimit(files, tokenizer, config, recipe.maxTokens);
  const common = {
    tokenizer,
    padId: typeof config.pad_token_id === 'number' ? config.pad_token_id : tokenizer.padId,
    size: recipe.documents,
    maxTokens,
    loss: lossesOf(recipe),
  };
  if (!isEmbedder) {
    const model = new TrainableTransformer(checkpoint, (source, family, inputs, states) =>
      family.classify(source, inputs, states, 1),
    );
    return { files, config, model, maxTokens, task: crossEncoder({ ...common, model }) };
  }
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
      recipe.teacher === undefined ? undefined : await teacherOf(recipe.teacher, groups, config.hidden_size),
  });
  return { files, config, model, maxTokens, task };
}
