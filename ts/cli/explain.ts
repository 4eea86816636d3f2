import { Command } from 'commander';
import { explanationText } from './explanationText.ts';
import { showsColour } from './hits.ts';
import { interruptSignal } from './interrupt.ts';
import { openForSearch } from './openIndex.ts';
import {
  addFilterOption,
  addIndexOption,
  addOutputOptions,
  addSearchOptions,
  type SearchOptions,
} from './options.ts';
import { output } from './output.ts';
import { parseFilter } from './parseFilter.ts';

interface ExplainCommandOptions extends SearchOptions {
  id: string;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('say why a document stands where it does')
    .description(
      'Says why a document stands where it does for a query, or why it is not found: scores and ranks of every ' +
        'stage, clauses of the filter, and how much of it the models read.',
    )
    .argument('<query...>', 'what is searched for');
  addIndexOption(command).requiredOption('--id <id>', 'the document');
  addFilterOption(addSearchOptions(command));
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ seine explain "night shift nurse" --id job05439 --index jobs.seine
  $ seine explain nurse --id job05439 --index jobs.seine --filter '{"eq":["remote",true]}'
  $ seine explain nurse --id job05439 --index jobs.seine --json | jq .reason`,
    )
    .action(run);
}

async function run(words: string[], options: ExplainCommandOptions): Promise<void> {
  const out = output(options);
  const filter = parseFilter(options.filter);
  const signal = interruptSignal();
  const index = await openForSearch(options);
  try {
    const { id, depth, retrieve } = options;
    const explanation = await index.explain(words.join(' '), id, { depth, retrieve, filter, signal });
    if (options.json) out.object(explanation);
    else out.data(explanationText(explanation, showsColour(process.stdout)));
  } finally {
    await index.close();
  }
}
