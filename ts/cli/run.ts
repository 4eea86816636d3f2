import { Command } from 'commander';
import { count, duration } from '../core/progress.ts';
import type { RetrieveMode, RunEntry } from '../core/types.ts';
import { readQueries } from '../offline/evaluate/readQueries.ts';
import { writeRun } from '../offline/evaluate/writeRun.ts';
import { interruptSignal } from './interrupt.ts';
import { openForSearch } from './openIndex.ts';
import {
  addIndexOption,
  addOutputOptions,
  addSearchOptions,
  type IndexOptions,
  wholeNumber,
} from './options.ts';
import { output } from './output.ts';

interface RunCommandOptions extends IndexOptions {
  queries: string;
  out: string;
  k: number;
  depth: number;
  retrieve: RetrieveMode;
}

/** Queries that are retrieved together. */
const BATCH = 32;

export function runCommand(): Command {
  const command = new Command('run')
    .summary('answer a file of queries')
    .description('Answers all queries of a file and writes a TREC run, which "seine evaluate" judges.');
  addIndexOption(command)
    .requiredOption('--queries <file>', 'queries: JSONL with _id and text, or id, tab, text')
    .requiredOption('--out <file>', 'where the run is written')
    .option('--k <n>', 'how many hits for each query', wholeNumber(1), 100);
  addSearchOptions(command);
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ seine run --index jobs.seine --queries queries.dev.jsonl --out fused.trec --ranker none
  $ seine run --index jobs.seine --queries queries.dev.jsonl --out bm25.trec --retrieve bm25 --ranker none --k 1000
  $ seine evaluate --run fused.trec --qrels qrels/dev.tsv --against bm25.trec`,
    )
    .action(run);
}

async function run(options: RunCommandOptions): Promise<void> {
  const out = output(options);
  const signal = interruptSignal();
  const queries = [...(await readQueries(options.queries))];
  const index = await openForSearch(options);
  const bar = out.progress('run', 'queries', queries.length);
  const started = performance.now();
  const { k, depth, retrieve } = options;
  let models: Awaited<ReturnType<typeof index.info>>;
  const totals = { hits: 0, ranked: 0, truncated: 0 };

  async function* answers(): AsyncGenerator<[string, RunEntry[]], void, undefined> {
    for (let first = 0; first < queries.length; first += BATCH) {
      const batch = queries.slice(first, first + BATCH);
      const found = await index.searchMany(
        batch.map(([, text]) => text),
        { k, depth, retrieve, signal },
      );
      for (const [i, answer] of found.entries()) {
        totals.hits += answer.hits.length;
        totals.ranked += answer.ranked;
        totals.truncated += answer.truncated;
        yield [batch[i]![0], answer.hits.map(({ id, score }) => ({ id, score }))];
      }
      bar.report(first + batch.length);
    }
  }

  try {
    models = await index.info();
    await writeRun(options.out, answers(), 'seine');
  } finally {
    bar.stop();
    await index.close();
  }
  const elapsed = performance.now() - started;
  const queriesPerSecond = (queries.length / elapsed) * 1000;
  if (options.json) {
    const { model, ranker, device } = models;
    const used = { embedder: model?.name, ranker: ranker ?? 'none', device };
    const settings = { index: options.index, out: options.out, ...used, k, depth, retrieve };
    out.object({ ...settings, queries: queries.length, ...totals, elapsed, queriesPerSecond });
  }
  out.say(
    `${count(queries.length)} queries, ${count(totals.hits)} hits in ${duration(elapsed)} ` +
      `(${queriesPerSecond.toFixed(1)} queries/s), written to ${options.out}.`,
  );
  if (totals.truncated > 0) {
    out.say(
      `The ranker read only the head of ${count(totals.truncated)} of ${count(totals.ranked)} documents.`,
    );
  }
}
