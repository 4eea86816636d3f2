import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { SeineError, show } from '../core/errors.ts';
import { writeAtomic } from '../core/files.ts';
import type { Run } from '../core/types.ts';
import { bootstrap, type Interval, LEVEL, RESAMPLES } from '../offline/evaluate/bootstrap.ts';
import { type Comparison, compare } from '../offline/evaluate/compare.ts';
import { type Evaluation, evaluate, valuesOf } from '../offline/evaluate/evaluate.ts';
import { evaluationReport } from '../offline/evaluate/evaluationReport.ts';
import { difference, digits, interval, pValue } from '../offline/evaluate/figureText.ts';
import { METRIC_NAMES, parseMetrics } from '../offline/evaluate/metrics.ts';
import { readQrels } from '../offline/evaluate/readQrels.ts';
import { readQueries } from '../offline/evaluate/readQueries.ts';
import { readRun } from '../offline/evaluate/readRun.ts';
import type { AgainstInput } from '../offline/evaluate/reportInput.ts';
import { addOutputOptions } from './options.ts';
import { type Output, type OutputOptions, output } from './output.ts';

interface EvaluateCommandOptions extends OutputOptions {
  run: string;
  qrels: string;
  against?: string;
  metrics: string;
  complete?: boolean;
  queries?: string;
  html?: string;
}

const METRICS = 'ndcg@10,ndcg_exp@10,mrr,map,p@10,recall@100,judged@10';

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .summary('judge a run by relevance grades')
    .description(
      'Scores a TREC run by relevance grades (TREC or BEIR) as trec_eval does, with bootstrap intervals; with a ' +
        'second run, tests the difference by paired randomisation.',
    )
    .requiredOption('--run <file>', 'run to judge: query Q0 document rank score tag')
    .requiredOption('--qrels <file>', 'relevance grades: query 0 document grade, or the tsv of BEIR')
    .option('--against <file>', 'run to compare with')
    .option('--metrics <list>', 'separated by commas; the first one leads the report', METRICS)
    .option('--complete', 'count judged queries that a run does not answer as 0, not leave them out')
    .option('--html <file>', 'write a report as one self-contained page')
    .option('--queries <file>', 'texts of the queries, for the report');
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Metrics: ${METRIC_NAMES}; k is a positive integer. ndcg has linear gains,
ndcg_exp gains of 2^grade - 1; trec_eval's spellings (ndcg_cut_10, P_5, recip_rank) work too. Grades below 1 are not
relevant. Scores alone decide the order of a run; equal scores order by falling document id.

Examples:
  $ seine evaluate --run run.trec --qrels qrels.tsv
  $ seine evaluate --run fused.trec --qrels qrels.tsv --against bm25.trec --html report.html --queries queries.jsonl
  $ seine evaluate --run run.trec --qrels qrels.txt --metrics ndcg@10,map,bpref --complete --json`,
    )
    .action(run);
}

interface Judged {
  path: string;
  ranking: Run;
  evaluation: Evaluation;
  intervals: Record<string, Interval>;
}

async function run(options: EvaluateCommandOptions): Promise<void> {
  const out = output(options);
  parseMetrics(options.metrics);
  if (options.queries !== undefined && options.html === undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'Expected --html with --queries (texts are shown in the report), got none.',
    );
  }
  const qrels = await readQrels(options.qrels);
  const judge = async (path: string): Promise<Judged> => {
    const ranking = await readRun(path);
    const evaluation = evaluate(ranking, qrels, options.metrics, { complete: options.complete });
    warn(out, path, evaluation);
    return { path, ranking, evaluation, intervals: intervalsOf(evaluation) };
  };
  const judged = await judge(options.run);
  const other = options.against === undefined ? undefined : await judge(options.against);
  const against = other && { ...other, comparison: compare(judged.evaluation, other.evaluation) };
  if (options.html !== undefined) {
    const texts = options.queries === undefined ? undefined : await readQueries(options.queries);
    const { path, ...rest } = judged;
    const made = { command: commandLine(options), versions: versions() };
    const html = evaluationReport({
      run: path,
      qrelsPath: options.qrels,
      ...rest,
      qrels,
      texts,
      against,
      ...made,
    });
    await writeReport(options.html, html);
  }
  if (options.json) out.object(jsonOf(options, judged, against));
  else for (const line of tableOf(judged, against)) out.data(line);
  const { size } = judged.evaluation.queries;
  out.say(`${size} ${size === 1 ? 'query' : 'queries'}; intervals are 95 %, bootstrap over queries.`);
  if (options.html !== undefined) out.say(`The report is in ${options.html}.`);
}

function warn(out: Output, path: string, { missing, unjudged, queries, mean, metrics }: Evaluation): void {
  if (missing.length > 0) {
    const counted = missing.some((query) => queries.has(query));
    const share = queries.size / (queries.size + missing.length);
    const metric = metrics[0]!;
    out.warn(
      `${path}: judged queries without results, ` +
        (counted
          ? `counted as 0: ${missing.length}.`
          : `left out as in trec_eval: ${missing.length}; --complete counts them as 0 (${metric} ${digits(mean[metric]! * share)}).`),
    );
  }
  if (unjudged.length > 0) out.say(`${path}: queries without judgements, not counted: ${unjudged.length}.`);
}

function intervalsOf({ metrics, queries }: Evaluation): Record<string, Interval> {
  const found = bootstrap(metrics.map((metric) => valuesOf(queries, metric)));
  return Object.fromEntries(metrics.map((metric, m) => [metric, found[m]!]));
}

function jsonOf(
  options: EvaluateCommandOptions,
  { evaluation, intervals }: Judged,
  against: AgainstInput | undefined,
): object {
  const { queries, ...rest } = evaluation;
  return {
    run: options.run,
    qrels: options.qrels,
    ...rest,
    intervals,
    queries: Object.fromEntries(queries),
    bootstrap: { level: LEVEL, resamples: RESAMPLES },
    ...(against === undefined ? {} : { comparison: comparisonJson(against) }),
  };
}

function comparisonJson({ path, evaluation, intervals, comparison }: AgainstInput): object {
  const { queries, missing, unjudged, mean } = evaluation;
  return {
    against: path,
    mean,
    intervals,
    missing,
    unjudged,
    differences: comparison.differences,
    compared: comparison.queries.length,
    queries: Object.fromEntries(queries),
  };
}

function tableOf({ evaluation, intervals }: Judged, against: AgainstInput | undefined): string[] {
  const head = ['metric', 'mean', '95 % interval'];
  if (against !== undefined) head.push('against', 'difference', '95 % interval', 'p', 'better', 'worse');
  const rows = evaluation.metrics.map((metric) => [
    metric,
    digits(evaluation.mean[metric]!),
    interval(intervals[metric]!),
    ...(against === undefined ? [] : comparisonCells(against, metric)),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

function comparisonCells(against: AgainstInput, metric: string): string[] {
  const {
    mean,
    interval: range,
    p,
    better,
    worse,
  }: Comparison['differences'][string] = against.comparison.differences[metric]!;
  const signed = `[${difference(range.low)}, ${difference(range.high)}]`;
  const chance = pValue(p).replace(/^p (= )?/, '');
  return [
    digits(against.evaluation.mean[metric]!),
    difference(mean),
    signed,
    chance,
    String(better),
    String(worse),
  ];
}

async function writeReport(path: string, html: string): Promise<void> {
  try {
    await writeAtomic(path, html);
  } catch (cause) {
    const { message } = cause as Error;
    throw new SeineError('ERR_DISK', `Expected to write the report to ${show(path)}, got: ${message}.`, {
      cause,
    });
  }
}

/** The command again, quoted for a POSIX shell, without what only steers its output. */
function commandLine(options: EvaluateCommandOptions): string {
  const given = ['run', 'qrels', 'against', 'metrics', 'queries', 'html'] as const;
  const parts = given.flatMap((name) =>
    options[name] === undefined ? [] : [`--${name} ${quoted(options[name])}`],
  );
  return ['seine evaluate', ...parts, ...(options.complete ? ['--complete'] : [])].join(' ');
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function versions(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return `seine ${version}, Node.js ${process.version}, ${process.platform}-${process.arch}`;
}
