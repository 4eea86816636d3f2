import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import Type, { type Static } from 'typebox';
import { SeineError, show } from '../../core/errors.ts';
import { modelAt } from '../../core/modelAt.ts';
import { readRecipeFile } from '../../core/readRecipeFile.ts';

const LOSS_NAMES = ['infoNce', 'margin', 'listwise', 'bce', 'pointwiseKl', 'mse', 'cosine'] as const;

const positive = (description: string, options: object = {}) =>
  Type.Number({ exclusiveMinimum: 0, description, ...options });
const count = (description: string, options: object = {}) =>
  Type.Integer({ minimum: 1, description, ...options });

const LossRecipe = Type.Object(
  {
    name: Type.Enum([...LOSS_NAMES]),
    weight: positive('Factor of this loss in the sum.', { default: 1 }),
    temperature: Type.Optional(
      positive(
        'Scores are divided by it: 0.05 for a bi-encoder, else 1. infoNce, listwise, bce, pointwiseKl.',
      ),
    ),
    margin: Type.Optional(positive('By which the better document is to lead: 0.2, else 1. margin.')),
    objective: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Whose labels and scores are meant: the first. bce, listwise.',
      }),
    ),
    to: Type.Optional(
      Type.Enum(['grades', 'labels', 'scores'], {
        description: 'What lists are compared with: grades. listwise.',
      }),
    ),
  },
  { additionalProperties: false },
);

const RecipeSchema = Type.Object(
  {
    task: Type.Enum(['bi-encoder', 'cross-encoder', 'ranker'], {
      description: 'What the model is to become.',
    }),
    model: Type.String({ minLength: 1, description: 'Model to start from: a directory or a name.' }),
    data: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'JSONL files of queries with documents.',
    }),
    losses: Type.Array(LossRecipe, { minItems: 1, description: 'Losses; their weighted sum falls.' }),
    similarity: Type.Optional(
      Type.Enum(['cosine', 'maxSim'], {
        description: "What a bi-encoder's scores are: of one vector a text, or of all its tokens' (MaxSim).",
      }),
    ),
    objectives: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-zA-Z][\\w-]*$' }), {
        minItems: 2,
        uniqueItems: true,
        description: 'What a cross-encoder gives a score for each of; the first is what it ranks by.',
      }),
    ),
    features: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        maxItems: 256,
        uniqueItems: true,
        description: "What a bi-encoder's scores of the objectives after the first add to its similarity.",
      }),
    ),
    teacher: Type.Optional(
      Type.String({ minLength: 1, description: 'Embedder whose vectors the loss cosine goes to.' }),
    ),
    batch: count('Queries of a batch.', { default: 16 }),
    documents: count('Documents of a query in a batch, at most.', { default: 4 }),
    accumulate: count('Batches of a step, whose gradients are averaged.', { default: 1 }),
    epochs: positive('Times that each query is learnt from.', { default: 1 }),
    steps: Type.Optional(count('Steps, instead of epochs.')),
    maxTokens: Type.Optional(
      Type.Integer({ minimum: 8, description: 'Tokens of a text or pair; as the model says if left out.' }),
    ),
    rate: positive('Learning rate at the end of the warm-up; it then falls linearly to 0.', {
      default: 2e-5,
    }),
    warmup: Type.Number({ minimum: 0, maximum: 1, default: 0.1, description: 'Share of the steps.' }),
    dropout: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description: 'Share of states and attentions that are left out by chance.',
    }),
    weightDecay: Type.Number({ minimum: 0, default: 0.01, description: 'Of matrices; AdamW.' }),
    clipNorm: positive('Length that a gradient is cut to.', { default: 1 }),
    checkpointSteps: count('Steps from one checkpoint to the next.', { default: 100 }),
    seed: Type.Integer({
      minimum: 0,
      maximum: 2 ** 32 - 1,
      default: 1,
      description: 'Of all that is drawn.',
    }),
  },
  { additionalProperties: false },
);

export type LossRecipe = Static<typeof LossRecipe>;
/** What is trained, from what, on what and how; defaults filled in, files of data as absolute paths. */
export type Recipe = Static<typeof RecipeSchema>;

const validate = new Ajv({ useDefaults: true, verbose: true }).compile<Recipe>(RecipeSchema);

/**
 * Reads a recipe; paths in it are relative to its folder. Errors: `ERR_NOT_FOUND`, `ERR_ARGUMENT` naming the field.
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const recipe = await readRecipeFile(path, validate);
  for (const loss of recipe.losses) checkLoss(loss, recipe);
  if (recipe.teacher !== undefined && !recipe.losses.some(({ name }) => name === 'cosine')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'recipe.teacher is for the loss cosine, which is not among recipe.losses.',
    );
  }
  if (recipe.similarity !== undefined && recipe.task !== 'bi-encoder') {
    throw new SeineError('ERR_ARGUMENT', `recipe.similarity is for the task bi-encoder, got ${recipe.task}.`);
  }
  if (recipe.objectives !== undefined && recipe.task === 'ranker') {
    throw new SeineError(
      'ERR_ARGUMENT',
      'recipe.objectives are for the tasks cross-encoder and bi-encoder, got ranker.',
    );
  }
  checkFeatureUse(recipe);
  const folder = dirname(resolve(path));
  return {
    ...recipe,
    model: modelAt(folder, recipe.model),
    data: recipe.data.map((file) => resolve(folder, file)),
    ...(recipe.teacher !== undefined && { teacher: modelAt(folder, recipe.teacher) }),
  };
}

/** Which options a loss takes, besides its weight. */
const OPTIONS: Record<LossRecipe['name'], readonly (keyof LossRecipe)[]> = {
  infoNce: ['temperature'],
  margin: ['margin'],
  listwise: ['temperature', 'to', 'objective'],
  bce: ['temperature', 'objective'],
  pointwiseKl: ['temperature'],
  mse: [],
  cosine: [],
};

/** Features count in scores of objectives after the first, which some loss must be about. */
function checkFeatureUse({ features, task, similarity, losses }: Recipe): void {
  if (features === undefined) return;
  if (task !== 'bi-encoder' || similarity === 'maxSim') {
    throw new SeineError(
      'ERR_ARGUMENT',
      `recipe.features are for a bi-encoder of one vector a text, got ${similarity === 'maxSim' ? similarity : task}.`,
    );
  }
  if (losses.some(({ objective }) => objective !== undefined)) return;
  throw new SeineError(
    'ERR_ARGUMENT',
    'recipe.features are weighed for what users do: give recipe.objectives, and a loss with one of them after the first.',
  );
}

function checkLoss(loss: LossRecipe, { task, teacher, similarity, objectives = [] }: Recipe): void {
  const { name, weight: _, ...given } = loss;
  const foreign = Object.keys(given).find((key) => !OPTIONS[name].includes(key as keyof LossRecipe));
  if (foreign !== undefined) {
    const known = OPTIONS[name].length > 0 ? `weight, ${OPTIONS[name].join(', ')}` : 'weight';
    throw new SeineError(
      'ERR_ARGUMENT',
      `The loss ${name} takes ${known}, but the recipe gives it ${foreign}.`,
    );
  }
  if (loss.objective !== undefined && !objectives.slice(1).includes(loss.objective)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The objective of the loss ${name} should be one of recipe.objectives after the first, got ` +
        `${show(loss.objective)}.`,
    );
  }
  if (loss.objective !== undefined && name === 'listwise' && loss.to !== 'labels') {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The loss listwise of an objective compares lists with its labels, got to ${show(loss.to)}: set it to labels.`,
    );
  }
  const hasVectors = task === 'bi-encoder' && similarity !== 'maxSim';
  if (name === 'cosine' && (!hasVectors || teacher === undefined)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'The loss cosine needs a bi-encoder of one vector a text and recipe.teacher, got ' +
        `${similarity === 'maxSim' ? similarity : task} and ${show(teacher)}.`,
    );
  }
}
