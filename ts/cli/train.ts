import { Command } from 'commander';
import { SeineError } from '../core/errors.ts';
import { count, duration } from '../core/progress.ts';
import { readRecipe } from '../offline/train/recipe.ts';
import { trainModel } from '../offline/train/trainModel.ts';
import { interruptSignal } from './interrupt.ts';
import { addOutputOptions } from './options.ts';
import { type OutputOptions, output } from './output.ts';

interface TrainCommandOptions extends OutputOptions {
  out: string;
}

/** Steps whose mean loss is shown. */
const SHOWN_STEPS = 20;

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a model by a recipe')
    .description(
      'Trains an embedder (bi-encoder) or a ranker (cross-encoder, or a language model that is asked by a prompt) on ' +
        'queries with documents and writes a model directory, which "seine ingest --embedder" and "seine search ' +
        '--ranker" take. After an interruption the same command goes on from the last checkpoint, to the same weights.',
    )
    .argument('<recipe>', 'what is trained, on what and how: JSON')
    .requiredOption('--out <dir>', 'where the model is written');
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
A recipe: { "task": "bi-encoder", "model": "./all-MiniLM-L6-v2", "data": ["train.jsonl"],
  "losses": [{ "name": "infoNce" }], "batch": 16, "documents": 4, "epochs": 1, "maxTokens": 128, "rate": 2e-5 }
Its paths are relative to its folder; docs/training.md describes all fields. Lines of the data are
  {"query": "…", "positives": ["…"], "negatives": ["…"]} or
  {"query": "…", "documents": ["…", "…"], "grades": [3, 0]}, also with "labels" (0 to 1), a teacher's "scores",
  "objectives" (labels of clicks and the like) and "features" (numbers that an embedder is to weigh beside its similarity).
Losses: infoNce, margin, listwise, bce, pointwiseKl, mse, cosine. The directory also gets training.json (hashes,
options, versions, curve) and training.html (the curve as a chart).

Example:
  $ seine train jobs.recipe.json --out ./jobs-embedder
  $ seine ingest corpus.jsonl --index jobs.seine --embedder ./jobs-embedder`,
    )
    .action(run);
}

async function run(path: string, options: TrainCommandOptions): Promise<void> {
  const out = output(options);
  const signal = interruptSignal();
  const recipe = await readRecipe(path);
  const bar = out.progress('train', 'steps');
  const recent: number[] = [];
  let trained = 0;
  try {
    const manifest = await trainModel(recipe, {
      out: options.out,
      signal,
      onStep({ step, steps, loss, learningRate }) {
        trained++;
        recent.push(loss);
        if (recent.length > SHOWN_STEPS) recent.shift();
        const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
        const note = `loss ${mean.toFixed(4)}, rate ${learningRate.toExponential(1)}`;
        bar.report(step, { fraction: step / steps, note });
      },
    });
    bar.stop();
    const { steps, seconds, curve, headDrawn, parameters, identity } = manifest;
    const last = curve.loss.slice(-SHOWN_STEPS);
    const loss = last.reduce((sum, value) => sum + value, 0) / last.length;
    if (options.json) out.object({ out: options.out, identity, steps, seconds, loss, parameters, headDrawn });
    if (trained === 0) {
      out.say(`${options.out} holds this training, done: ${count(steps)} steps.`);
      return;
    }
    if (headDrawn) out.say('The model had no head that gives one score, so a new one was drawn.');
    out.say(
      `${count(steps)} steps, the last ${count(trained)} in ${duration(1000 * seconds)}; loss ${loss.toFixed(4)}. The ` +
        `model is in ${options.out}, its curve in training.html there.`,
    );
  } catch (error) {
    if (!(error instanceof SeineError) || error.code !== 'ERR_INTERRUPTED') throw error;
    throw new SeineError(
      'ERR_INTERRUPTED',
      'Interrupted; the same command goes on from the step that was reached.',
    );
  } finally {
    bar.stop();
  }
}
