import { actionStage } from './actionStage.ts';
import { candidateStage } from './candidateStage.ts';
import { evaluationStage } from './evaluationStage.ts';
import { labelStage, readLabels } from './labelStage.ts';
import { listStage } from './listStage.ts';
import type { Measure } from './measure.ts';
import { modelStage } from './modelStage.ts';
import { type Collection, type DistillRecipe, learnsActions } from './recipe.ts';
import type { Report } from './report.ts';
import { splitStage } from './splitStage.ts';
import { runStage, type Stage, type StageManifest } from './stage.ts';
import { textLines, textStage } from './textStage.ts';
import { engagementLines, featureLines, relevanceLines } from './trainingLines.ts';
import { modelIn, type Prune, type Train, type TrainingLine, trainStage } from './trainStage.ts';
import { tuningStage } from './tuningStage.ts';
import { vectorStage } from './vectorStage.ts';

export interface DistillOptions {
  /** Directory of the stages; the model lies in `model` there. */
  out: string;
  train: Train;
  prune: Prune;
  measure: Measure;
  /** Called when a stage begins. */
  onStage?: ((name: string) => void) | undefined;
  /** Called when it is done, or was before. */
  onDone?: ((manifest: StageManifest, kept: boolean) => void) | undefined;
  onProgress?: Report | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Distils a model by a recipe, stage by stage: splits → vectors → candidates → lists → actions → teachers → labels →
 * student → tuning → evaluation → model. Each stage's directory holds its result and a manifest; a stage that was run
 * from the same inputs before is kept, and one that was interrupted goes on. Returns the directory of the model. Errors:
 * those of the stages, with the last good state kept.
 */
export async function distill(recipe: DistillRecipe, options: DistillOptions): Promise<string> {
  const { out, train, prune, measure, onStage, onDone, onProgress: report = () => {}, signal } = options;
  const { task, collections, candidates, actions: acts, features, student: wanted } = recipe;
  const acting = learnsActions(recipe);
  const byItself = acting && task === 'bi-encoder';
  const run = async (stage: Stage): Promise<string> => {
    signal?.throwIfAborted();
    onStage?.(stage.name);
    const { manifest, kept, directory } = await runStage(out, stage);
    onDone?.(manifest, kept);
    return directory;
  };
  const vectorsBy = async (
    prefix: string,
    model: string,
    wantedOf: readonly Collection[],
    maxTokens: number | undefined,
  ) => {
    const directories: Record<string, string> = {};
    for (const { name, corpus } of wantedOf) {
      const stage = { name: `${prefix}-${name}`, corpus, model, maxTokens, report, signal };
      directories[name] = await run(await vectorStage(stage));
    }
    return directories;
  };

  const splits = await run(splitStage(recipe));
  // An embedder is measured by its own vectors, so that those of collections with a test alone are not needed.
  const searched = collections.filter(
    ({ train: learnt, dev }) => task === 'cross-encoder' || (learnt ?? dev),
  );
  const vectors = await vectorsBy('vectors', candidates.model, searched, candidates.maxTokens);
  const found: Record<string, string> = {};
  const lists: Record<string, string> = {};
  const actions: Record<string, string> = {};
  for (const collection of collections) {
    const { name, train: learnt, dev } = collection;
    if (!(learnt ?? dev)) continue;
    const from = { vectors: vectors[name]!, splits };
    found[name] = await run(await candidateStage(collection, recipe, from, signal));
    if (learnt) lists[name] = await run(listStage(collection, recipe, { candidates: found[name], splits }));
    if (acting && (collection.actions ?? collection.clicks) !== undefined) {
      actions[name] = await run(actionStage(collection, recipe, { candidates: found[name] }));
    }
  }
  const learnt = collections.filter(({ train: split }) => split);
  const acted = learnt.filter(({ name }) => name in actions);
  const named = (kind: string, directories: Record<string, string>) =>
    Object.fromEntries(Object.entries(directories).map(([name, path]) => [`${kind}-${name}`, path]));
  const common = { train, prune, report, signal, layers: undefined, neurons: undefined };

  const relevanceData = async () =>
    (await Promise.all(learnt.map((one) => relevanceLines(one, lists[one.name]!, recipe.labels)))).flat();
  const relevance =
    recipe.relevance &&
    (await run(
      await trainStage({
        ...common,
        name: 'relevance',
        fields: recipe.relevance,
        added: { task, losses: recipe.relevance.losses ?? [{ name: 'bce' }] },
        inputs: named('lists', lists),
        dataOptions: { labels: recipe.labels },
        data: relevanceData,
      }),
    ));
  const engagement =
    recipe.engagement &&
    (await run(
      await trainStage({
        ...common,
        name: 'engagement',
        fields: recipe.engagement,
        added: {
          task,
          ...(acts.length > 1 && { objectives: acts }),
          losses: lossesOf(
            acts,
            acts.map(() => 1),
          ),
        },
        inputs: { ...named('lists', lists), ...named('actions', actions) },
        dataOptions: { actions: acts, masking: recipe.masking },
        data: async () =>
          (
            await Promise.all(
              acted.map((one) => {
                const from = { lists: lists[one.name]!, actions: actions[one.name]! };
                return engagementLines(one, from, acts, recipe.masking);
              }),
            )
          ).flat(),
      }),
    ));

  const labels: Record<string, string> = {};
  if ((relevance ?? engagement) !== undefined) {
    for (const collection of learnt) {
      const { name } = collection;
      const from = { lists: lists[name]!, actions: actions[name], relevance, engagement };
      labels[name] = await run(labelStage(collection, recipe, from, acts, { report, signal }));
    }
  }
  const objectives = acting ? ['relevance', ...acts] : ['relevance'];
  const texts = recipe.texts === undefined ? undefined : await run(textStage(recipe));
  const { layers, neurons, alpha = 0.5, warmStart, losses, ...fields } = wanted;
  const weights = engagement === undefined ? [1] : [alpha, ...acts.map(() => (1 - alpha) / acts.length)];
  const student = await run(
    await trainStage({
      ...common,
      name: 'student',
      layers,
      neurons,
      fields: { ...fields, model: warmStart ? modelIn(relevance!) : wanted.model },
      added: {
        task,
        ...(acting && { objectives }),
        ...(features && { features }),
        losses: losses ?? (features ? weighingLosses(acts) : lossesOf(objectives, weights)),
      },
      inputs: {
        ...(byItself && named('actions', actions)),
        ...(Object.keys(labels).length > 0 ? named('labels', labels) : named('lists', lists)),
        ...(texts !== undefined && { texts }),
      },
      dataOptions: { labels: recipe.labels, ...(byItself && { actions: acts, masking: recipe.masking }) },
      data: async () =>
        Object.keys(labels).length > 0
          ? (await Promise.all(Object.values(labels).map(readLabels))).flat()
          : [
              ...(await relevanceData()),
              ...(byItself ? await actedData() : []),
              ...(texts === undefined ? [] : await textLines(texts, recipe.student.documents ?? 4)),
            ],
    }),
  );
  return run(await finished());

  /** What users did on training pages, with the features of their documents. */
  async function actedData(): Promise<TrainingLine[]> {
    const parts = acted.map((one) => {
      const from = { lists: lists[one.name]!, actions: actions[one.name]! };
      return featureLines(one, from, { actions: acts, masking: recipe.masking, features: features ?? [] });
    });
    return (await Promise.all(parts)).flat();
  }

  /** Tunes and measures the student, as far as there are dev and test queries. */
  async function finished(): Promise<Stage> {
    const tested = collections.filter(({ test }) => test);
    const both = { report, signal };
    if (task === 'bi-encoder') {
      const { maxTokens } = candidates;
      const { against: other } = recipe;
      const model = modelIn(student);
      const own = await vectorsBy('student-vectors', model, tested, maxTokens);
      const against =
        other === undefined
          ? undefined
          : { model: other, maxTokens, vectors: await vectorsBy('against', other, tested, maxTokens) };
      const embedder = { model, maxTokens, vectors: own };
      const evaluation =
        tested.length > 0
          ? await run(evaluationStage(recipe, { ...both, embedder, against, student, splits, measure }))
          : undefined;
      return modelStage(recipe, { student, splits, evaluation }, signal);
    }
    if (!collections.some(({ dev }) => dev)) return modelStage(recipe, { student, splits }, signal);
    const tuning = await run(
      tuningStage(recipe, objectives, { student, candidates: found, actions }, measure, both),
    );
    const embedder = { model: candidates.model, maxTokens: candidates.maxTokens, vectors };
    const ranking = { student, tuning, relevance, engagement, objectives };
    const evaluation =
      tested.length > 0
        ? await run(evaluationStage(recipe, { ...both, embedder, ranking, splits, measure }))
        : undefined;
    return modelStage(recipe, { student, splits, tuning, evaluation }, signal);
  }
}

/** A loss on the labels of each objective: on soft labels, cross entropy is the KL divergence plus a constant. */
function lossesOf(objectives: readonly string[], weights: readonly number[]): object[] {
  return objectives.flatMap((objective, i) =>
    weights[i] === 0 ? [] : [{ name: 'bce', weight: weights[i], ...(i > 0 && { objective }) }],
  );
}

/** Relevance teaches the similarity, and each action, as a list, its weighted sum with features. */
function weighingLosses(actions: readonly string[]): object[] {
  const weight = 1 / actions.length;
  const acted = actions.map((objective) => ({ name: 'listwise', to: 'labels', objective, weight }));
  return [{ name: 'infoNce' }, ...acted];
}
