import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import Type, { type Static } from 'typebox';
import { SeineError, show } from '../../core/errors.ts';
import { modelAt } from '../../core/modelAt.ts';
import { readRecipeFile } from '../../core/readRecipeFile.ts';
import { ACTIONS, type Action, ClickModelSchema } from './clickModel.ts';
import { isScript } from './trimVocabulary.ts';

const count = (description: string, options: object = {}) =>
  Type.Integer({ minimum: 1, description, ...options });
const share = (description: string, options: object = {}) =>
  Type.Number({ minimum: 0, maximum: 1, description, ...options });
const file = (description: string) => Type.String({ minLength: 1, description });
const closed = { additionalProperties: false };

const Split = Type.Object(
  {
    queries: file('Queries of BEIR: JSONL with _id and text.'),
    qrels: file('Grades of BEIR: query, document and grade, separated by tabs.'),
  },
  closed,
);

const Collection = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]*$', description: 'Names it in files and reports.' }),
    corpus: file('Documents of BEIR: JSONL with _id, title, text and metadata.'),
    train: Type.Optional(Split),
    dev: Type.Optional(Split),
    test: Type.Optional(Split),
    judged: Type.Optional(file("A judge's grades, as qrels; they fill in pairs that no person graded.")),
    subject: Type.Optional(
      Type.Object(
        {
          document: file('Field of metadata that tells the subject of a document.'),
          query: file('Field of metadata that tells the subjects of a query.'),
        },
        closed,
      ),
    ),
    actions: Type.Optional(file('What users did, as JSONL: query, document, position and actions.')),
    clicks: Type.Optional(ClickModelSchema),
    queries: Type.Optional(count('Training queries at most, drawn.')),
  },
  closed,
);

/** Fields of a recipe of `seine train`, which reads and checks them itself. */
const Training = Type.Object(
  {
    model: file('What it starts from.'),
    losses: Type.Optional(Type.Array(Type.Unknown(), { description: 'As of seine train.' })),
  },
  { additionalProperties: true },
);

const DistillRecipeSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]*$', description: 'Of the model.' }),
    task: Type.Enum(['bi-encoder', 'cross-encoder'], { description: 'What the model is.' }),
    collections: Type.Array(Collection, {
      minItems: 1,
      description: 'What it learns from and is measured on.',
    }),
    duplicates: Type.Object(
      {
        shingle: count('Characters of a shingle.', { default: 5 }),
        similarity: share('Jaccard similarity of shingles from which two texts are the same.', {
          default: 0.8,
        }),
      },
      { default: {}, ...closed },
    ),
    candidates: Type.Object(
      {
        model: file('Embedder whose exact search finds candidates, beside BM25.'),
        maxTokens: Type.Optional(
          count('Tokens of a text that embedders read; as each says itself if left out.'),
        ),
        depth: count('Length of each list.', { default: 100 }),
        positives: count('Relevant documents of a list.', { default: 2 }),
        hardPositives: Type.Integer({
          minimum: 0,
          default: 1,
          description: 'Further ones that were ranked low or not found.',
        }),
        hardNegatives: Type.Integer({
          minimum: 0,
          default: 4,
          description: 'Documents that were found and are not relevant.',
        }),
        skip: Type.Integer({
          minimum: 0,
          default: 0,
          description: 'First places that no hard negative is taken from.',
        }),
        randomNegatives: Type.Integer({ minimum: 0, default: 1, description: 'Any documents.' }),
      },
      closed,
    ),
    labels: Type.Enum(['soft', 'binary'], {
      default: 'soft',
      description: 'What a grade is taught as: its share of the highest one, or relevant or not.',
    }),
    relevance: Type.Optional(Training),
    engagement: Type.Optional(Training),
    student: Type.Intersect([
      Training,
      Type.Object({
        teacher: Type.Optional(file('Embedder whose vectors a bi-encoder learns.')),
        documents: Type.Optional(count('As of seine train.')),
        layers: Type.Optional(
          Type.Array(Type.Integer({ minimum: 0 }), {
            minItems: 1,
            description: 'Layers of its model that it keeps.',
          }),
        ),
        neurons: Type.Optional(
          count('Neurons of each layer that it keeps, fitted to give what all gave, before it is trained.'),
        ),
        alpha: Type.Optional(share("Weight of the relevance teacher's labels; the rest is engagement's.")),
        warmStart: Type.Optional(Type.Boolean({ description: 'Starts from the relevance teacher.' })),
      }),
    ]),
    actions: Type.Array(Type.String({ pattern: '^[a-zA-Z][\\w-]*$' }), {
      minItems: 1,
      uniqueItems: true,
      default: ['click', 'apply'],
      description: 'Actions that the engagement teacher and the student learn.',
    }),
    masking: Type.Boolean({
      default: true,
      description: 'A document without an action is a negative only if another of the query has it.',
    }),
    features: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        uniqueItems: true,
        description:
          'Fields of metadata, numbers, dates or true and false, that an embedder weighs beside its similarity, by actions.',
      }),
    ),
    texts: Type.Optional(
      file("Further texts, as a corpus: an embedder learns its teacher's vectors of them, too."),
    ),
    matryoshka: Type.Optional(
      Type.Array(count('Dimensions.'), {
        minItems: 1,
        description: 'Heads of vectors that are embeddings, once these are turned onto their principal axes.',
      }),
    ),
    scripts: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description:
          "Scripts, by Unicode's names, whose pieces the vocabulary of the finished model keeps; all if left out.",
      }),
    ),
    finalists: count('Finalists that are ranked in the evaluation.', { default: 50 }),
    against: Type.Optional(file('Embedder that the evaluation compares with.')),
    card: Type.Optional(file('Head of the model card: Markdown.')),
    seed: Type.Integer({ minimum: 0, maximum: 2 ** 31, default: 1, description: 'Of all that is drawn.' }),
  },
  closed,
);

export type Collection = Static<typeof Collection>;
export type Split = Static<typeof Split>;
/** How a model is distilled; defaults filled in, paths absolute. */
export type DistillRecipe = Static<typeof DistillRecipeSchema>;
export type TrainingFields = Record<string, unknown> & { model: string };

const validate = new Ajv({ useDefaults: true, verbose: true }).compile<DistillRecipe>(DistillRecipeSchema);

/** Reads a recipe; paths in it are relative to its folder. Errors: `ERR_NOT_FOUND`, `ERR_ARGUMENT` naming the field. */
export async function readDistillRecipe(path: string): Promise<DistillRecipe> {
  const recipe = await readRecipeFile(path, validate);
  check(recipe);
  return withPaths(recipe, dirname(resolve(path)));
}

function check(recipe: DistillRecipe): void {
  const {
    task,
    collections,
    relevance,
    engagement,
    student,
    texts,
    matryoshka,
    actions,
    features,
    finalists,
  } = recipe;
  const wrong = (what: string): SeineError => new SeineError('ERR_ARGUMENT', `${what}.`);
  const names = collections.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw wrong(`recipe.collections should have names of their own, got ${twice} twice`);
  if (!collections.some(({ train }) => train)) {
    throw wrong(
      'recipe.collections should have train in one of them at least: there is nothing to learn from',
    );
  }
  const both = collections.find(({ actions, clicks }) => actions !== undefined && clicks !== undefined);
  if (both) throw wrong(`The collection ${both.name} should have actions or clicks, got both: leave one out`);
  if (task === 'bi-encoder' && (relevance ?? engagement) !== undefined) {
    throw wrong(
      'recipe.relevance and recipe.engagement teach a cross-encoder; a bi-encoder has student.teacher',
    );
  }
  if (matryoshka !== undefined && task !== 'bi-encoder') {
    throw wrong('recipe.matryoshka is for a bi-encoder');
  }
  const unknown = recipe.scripts?.find((name) => !isScript(name));
  if (unknown !== undefined) {
    throw wrong(`recipe.scripts should be names of scripts in Unicode, such as Latin, got ${show(unknown)}`);
  }
  if (texts !== undefined && student.teacher === undefined) {
    throw wrong('recipe.texts are for a bi-encoder with student.teacher, whose vectors it learns');
  }
  const acted = collections.some(({ train, actions, clicks }) => train && (actions ?? clicks) !== undefined);
  if (engagement !== undefined && !acted) {
    throw wrong('recipe.engagement needs a collection with train and actions or clicks, got none');
  }
  if (engagement !== undefined && relevance === undefined) {
    throw wrong('recipe.engagement needs recipe.relevance beside it: the student learns from both');
  }
  const drawn = collections.find(({ clicks }) => clicks && clicks.page > finalists);
  if (drawn) throw wrong(`recipe.finalists should hold the page of the click model, got ${finalists}`);
  const foreign = actions.find((action) => !ACTIONS.includes(action as Action));
  if (foreign !== undefined && collections.some(({ clicks }) => clicks)) {
    throw wrong(
      `recipe.actions should be among ${ACTIONS.join(', ')}, which the click model draws, got ${foreign}`,
    );
  }
  if (features !== undefined && (task !== 'bi-encoder' || !acted)) {
    throw wrong('recipe.features are for a bi-encoder, and a collection with train and actions or clicks');
  }
  if (features !== undefined && student.losses !== undefined && !hasObjective(student.losses)) {
    throw wrong(
      'recipe.student.losses should have one with an objective, such as click, for recipe.features',
    );
  }
  if (hasObjective(student.losses) && task === 'bi-encoder' && !acted) {
    throw wrong('recipe.student.losses of an objective need a collection with train and actions or clicks');
  }
  if (student.alpha !== undefined && engagement === undefined) {
    throw wrong('recipe.student.alpha weighs two teachers: give recipe.relevance and recipe.engagement');
  }
  if (student.warmStart && (relevance === undefined || student.layers !== undefined)) {
    throw wrong('recipe.student.warmStart needs recipe.relevance and all of its layers');
  }
}

/** Whether the student learns what users did: from a teacher or, an embedder, by itself. */
export function learnsActions({ engagement, features, student }: DistillRecipe): boolean {
  return (engagement ?? features) !== undefined || hasObjective(student.losses);
}

/** Whether one of some losses is about what users did. */
const hasObjective = (losses: readonly unknown[] = []): boolean =>
  losses.some((loss) => typeof loss === 'object' && loss !== null && 'objective' in loss);

/** Files and directories as absolute paths; names of models stay. */
function withPaths(recipe: DistillRecipe, folder: string): DistillRecipe {
  const at = (path: string): string => resolve(folder, path);
  const model = (name: string): string => modelAt(folder, name);
  const split = (given: Split | undefined) => given && { queries: at(given.queries), qrels: at(given.qrels) };
  const training = <T extends { model: string; teacher?: unknown }>(fields: T): T => ({
    ...fields,
    model: model(fields.model),
    ...(typeof fields.teacher === 'string' && { teacher: model(fields.teacher) }),
  });
  return {
    ...recipe,
    collections: recipe.collections.map((collection) => {
      const { corpus, train, dev, test, judged, actions, ...rest } = collection;
      return {
        ...rest,
        corpus: at(corpus),
        ...(train && { train: split(train)! }),
        ...(dev && { dev: split(dev)! }),
        ...(test && { test: split(test)! }),
        ...(judged !== undefined && { judged: at(judged) }),
        ...(actions !== undefined && { actions: at(actions) }),
      };
    }),
    candidates: { ...recipe.candidates, model: model(recipe.candidates.model) },
    ...(recipe.relevance && { relevance: training(recipe.relevance) }),
    ...(recipe.engagement && { engagement: training(recipe.engagement) }),
    student: training(recipe.student),
    ...(recipe.texts !== undefined && { texts: at(recipe.texts) }),
    ...(recipe.against !== undefined && { against: model(recipe.against) }),
    ...(recipe.card !== undefined && { card: at(recipe.card) }),
  };
}
