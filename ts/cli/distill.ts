import { Command } from 'commander';
import { SeineError } from '../core/errors.ts';
import { duration, type Progress } from '../core/progress.ts';
import { distill } from '../offline/distill/distill.ts';
import type { Measure } from '../offline/distill/measure.ts';
import { readDistillRecipe } from '../offline/distill/recipe.ts';
import type { Prune, Train } from '../offline/distill/trainStage.ts';
import { bootstrap } from '../offline/evaluate/bootstrap.ts';
import { evaluate } from '../offline/evaluate/evaluate.ts';
import { pruneModel } from '../offline/prune/pruneModel.ts';
import { readRecipe } from '../offline/train/recipe.ts';
import { trainModel } from '../offline/train/trainModel.ts';
import { interruptSignal } from './interrupt.ts';
import { addOutputOptions } from './options.ts';
import { type OutputOptions, output } from './output.ts';

interface DistillCommandOptions extends OutputOptions {
  out: string;
}

export function distillCommand(): Command {
  const command = new Command('distill')
    .summary('make a small model from teachers, grades and actions')
    .description(
      'Finds candidates for training queries, draws lists with hard negatives, trains teachers of relevance and of ' +
        'engagement, keeps their opinions, trains a student on them, calibrates and measures it, and writes its ' +
        "directory with a card. Each stage's result is kept in a directory of its own: what was done from the same " +
        'inputs is not done again, and after an interruption the same command goes on.',
    )
    .argument('<recipe>', 'what is distilled, from what and how: JSON')
    .requiredOption('--out <dir>', 'where the stages are kept; the model lies in model there');
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
A recipe names collections in BEIR's layout with train, dev and test queries, an embedder that finds candidates, and what
teachers and student start from; docs/distillation.md describes all fields. Its paths are relative to its folder.
Queries and subjects of train, dev and test are kept apart, near-duplicates are dropped, and only the evaluation reads the
grades of test.

Example:
  $ seine distill ranker.recipe.json --out ./ranker
  $ seine search "night shift nurse" --index jobs.seine --ranker ./ranker/model`,
    )
    .action(run);
}

const train: Train = async (path, options) => trainModel(await readRecipe(path), options);

const prune: Prune = (model, target, options) =>
  pruneModel(model, target, { ...options, heads: 0, layers: 0, method: 'reconstruction', seed: 0 });

const measure: Measure = {
  ndcg(run, qrels) {
    // Words may find nothing for any query, which an evaluation takes for files that do not belong together.
    if ([...run.values()].every((found) => found.length === 0)) {
      return new Map(Array.from(qrels.keys(), (query) => [query, 0]));
    }
    const { queries } = evaluate(run, qrels, 'ndcg_exp@10', { complete: true });
    return new Map(Array.from(queries, ([query, values]) => [query, values['ndcg_exp@10']!]));
  },
  interval: (values) => bootstrap([Float64Array.from(values)])[0]!,
};

async function run(path: string, options: DistillCommandOptions): Promise<void> {
  const out = output(options);
  const signal = interruptSignal();
  const recipe = await readDistillRecipe(path);
  const began = performance.now();
  const stages: { stage: string; identity: string; seconds: number; kept: boolean }[] = [];
  let stage = '';
  let shown: { key: string; bar: Progress; done: number } | undefined;
  const stop = (): void => {
    shown?.bar.stop();
    shown = undefined;
  };
  try {
    const model = await distill(recipe, {
      out: options.out,
      train,
      prune,
      measure,
      signal,
      onStage(name) {
        stop();
        stage = name;
      },
      onDone({ identity, seconds }, kept) {
        stop();
        stages.push({ stage, identity, seconds, kept });
        out.say(`${stage}: ${kept ? 'kept' : `done in ${duration(1000 * seconds)}`}.`);
      },
      onProgress(unit, done, total, note) {
        const key = `${stage} ${unit}`;
        if (shown?.key !== key || done < shown.done) {
          stop();
          shown = { key, bar: out.progress(stage, unit, total), done };
        }
        shown.done = done;
        shown.bar.report(done, { fraction: done / total, note });
      },
    });
    if (options.json) out.object({ out: options.out, model, stages });
    out.say(
      `The model is in ${model}, after ${duration(performance.now() - began)}; its card is README.md there.`,
    );
  } catch (error) {
    if (!(error instanceof SeineError) || error.code !== 'ERR_INTERRUPTED') throw error;
    throw new SeineError(
      'ERR_INTERRUPTED',
      `Interrupted in the stage ${stage}; the same command goes on there.`,
    );
  } finally {
    stop();
  }
}
