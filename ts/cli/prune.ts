import { Command, InvalidArgumentError, Option } from 'commander';
import { SeineError } from '../core/errors.ts';
import { count, duration, type Progress } from '../core/progress.ts';
import { METHODS, type Method } from '../offline/prune/method.ts';
import { type PruneSummary, pruneModel } from '../offline/prune/pruneModel.ts';
import type { WidthSummary } from '../offline/prune/pruneWidths.ts';
import { interruptSignal } from './interrupt.ts';
import { addOutputOptions, wholeNumber } from './options.ts';
import { type OutputOptions, output } from './output.ts';

interface PruneCommandOptions extends OutputOptions {
  out: string;
  calibration: string;
  neurons: number;
  heads: number;
  layers: number;
  method: Method;
  seed: number;
}

/** What is counted in each stage. */
const UNITS: Record<string, string> = { calibrate: 'tokens' };

export function pruneCommand(): Command {
  const command = new Command('prune')
    .summary('make a model smaller')
    .description(
      'Leaves out neurons, heads or whole layers of a model (BERT, RoBERTa, XLM-R, ModernBERT, Llama, Qwen2, Qwen3) ' +
        'and writes the rest as a new, ordinary model directory. What is left out, and the weights of what stays, are ' +
        'chosen so that the layers give what they gave before, on texts like those that the model will read.',
    )
    .argument('<model>', 'directory of the model, as safetensors or GGUF')
    .requiredOption('--out <dir>', 'directory that is made')
    .requiredOption('--calibration <file>', 'texts: JSONL with text and perhaps title, or one a line')
    .option('--neurons <share>', "share of each layer's neurons that is left out", share, 0)
    .option('--heads <share>', "share of each layer's heads that is left out", share, 0)
    .option('--layers <n>', 'how many layers are left out', wholeNumber(0), 0)
    .addOption(
      new Option('--method <name>', 'how what is left out is chosen')
        .choices(METHODS)
        .default('reconstruction'),
    )
    .option('--seed <n>', 'of --method random', wholeNumber(0), 0);
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Methods: reconstruction chooses by what the outputs lose and fits the weights that stay (X. Meng et al.: OSSCAR, 2024);
magnitude leaves out the smallest weights, random any: they are for comparison. Heads of queries go with the head of
keys and values that they share, in Llama, Qwen2 and Qwen3; the configurations of the other families cannot tell of
fewer heads. Layers cannot be left out of ModernBERT, whose layers differ by their place. Every fifth text is held out:
the error of the final hidden states is measured there.

Examples:
  $ seine prune ./all-MiniLM-L6-v2 --out ./thin --calibration corpus.jsonl --neurons 0.5
  $ seine prune ./Qwen3-0.6B --out ./small --calibration corpus.jsonl --neurons 0.5 --layers 8`,
    )
    .action(run);
}

function share(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value < 1) return value;
  throw new InvalidArgumentError('A number of at least 0 and below 1 was expected.');
}

async function run(model: string, options: PruneCommandOptions): Promise<void> {
  const { json, quiet, out: target, ...settings } = options;
  const { neurons, heads, layers } = settings;
  if (neurons + heads + layers === 0) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'At least one of --neurons, --heads and --layers should be above 0, or nothing is left out: name one.',
    );
  }
  const out = output({ json, quiet });
  const started = performance.now();
  let shown: { stage: string; bar: Progress } | undefined;
  try {
    const summary = await pruneModel(model, target, {
      ...settings,
      signal: interruptSignal(),
      onProgress(stage, done, total) {
        if (shown?.stage !== stage) {
          shown?.bar.stop();
          shown = { stage, bar: out.progress(stage, UNITS[stage] ?? stage, total) };
        }
        shown.bar.report(done);
      },
    });
    shown?.bar.stop();
    const elapsed = performance.now() - started;
    if (json) out.object({ model, out: target, ...settings, ...summary, elapsed });
    for (const line of describe(summary)) out.say(line);
    out.say(`Written to ${target} in ${duration(elapsed)}.`);
  } finally {
    shown?.bar.stop();
  }
}

function describe({ parameters, layers, neurons, heads, tokens, error }: PruneSummary): string[] {
  const lines = [`${count(parameters.before)} parameters became ${count(parameters.after)}.`];
  if (layers.removed.length > 0) {
    lines.push(`${layers.after} of ${layers.before} layers are left; out are ${layers.removed.join(', ')}.`);
  }
  const width = (name: string, { before, after, errors }: WidthSummary): string => {
    const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    return `${count(after)} of ${count(before)} ${name} a layer are left; outputs lost ${percent(mean)} (mean, ${count(tokens)} tokens).`;
  };
  if (neurons) lines.push(width('neurons', neurons));
  if (heads) lines.push(width('heads of keys and values', heads));
  lines.push(`Final hidden states differ by ${percent(error)} on texts that were held out.`);
  return lines;
}

const percent = (value: number): string => `${(value * 100).toPrecision(3)} %`;
