#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { distillCommand } from './distill.ts';
import { doctorCommand } from './doctor.ts';
import { evaluateCommand } from './evaluate.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export.ts';
import { failure } from './failure.ts';
import { ingestCommand } from './ingest.ts';
import { pruneCommand } from './prune.ts';
import { reembedCommand } from './reembed.ts';
import { runCommand } from './run.ts';
import { searchCommand } from './search.ts';
import { addSettingFlags, serveCommand } from './serve.ts';
import { trainCommand } from './train.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('seine')
  .description('Exact semantic search: every vector is looked at, the finalists are ranked by a model.')
  .version(version)
  .addHelpText(
    'after',
    `
Examples:
  $ seine ingest corpus.jsonl --index jobs.seine
  $ seine search "remote TypeScript job" --index jobs.seine
  $ seine run --index jobs.seine --queries queries.jsonl --out run.trec
  $ seine evaluate --run run.trec --qrels qrels.tsv
  $ seine serve --index jobs.seine

Exit status: 0 done, 2 arguments, 3 something needed is missing, 4 out of memory, disk or a lock, 5 data not valid,
6 failure at run time, 130 interrupted. SEINE_DEBUG=1 shows where an error arose.`,
  );

for (const command of [
  ingestCommand(),
  searchCommand(),
  explainCommand(),
  runCommand(),
  evaluateCommand(),
  trainCommand(),
  distillCommand(),
  serveCommand(),
  reembedCommand(),
  exportCommand(),
  pruneCommand(),
  doctorCommand(),
]) {
  program.addCommand(command);
}

for (const command of [program, ...program.commands]) {
  const name = command === program ? 'seine' : `seine ${command.name()}`;
  command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const sentence = text
        .replace(/^error: /, '')
        .trim()
        .replaceAll(/\s*\n\s*/g, ' ');
      write(`${name}: ${sentence}${/[.)]$/.test(sentence) ? '' : '.'} See "${name} --help".\n`);
    },
  });
}

program.hook('preSubcommand', async (_, command) => {
  if (command.name() === 'serve') await addSettingFlags(command);
});

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    const shown = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    process.exitCode = shown || error.exitCode === 0 ? 0 : 2;
  } else {
    const { exit, text } = failure(error);
    process.stderr.write(text);
    process.exitCode = exit;
  }
}
