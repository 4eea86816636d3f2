import { Command } from 'commander';
import { hitText, showsColour } from './hits.ts';
import { interruptSignal } from './interrupt.ts';
import { openForSearch } from './openIndex.ts';
import {
  addFilterOption,
  addIndexOption,
  addOutputOptions,
  addSearchOptions,
  names,
  type SearchOptions,
  wholeNumber,
} from './options.ts';
import { output } from './output.ts';
import { parseFilter } from './parseFilter.ts';

interface SearchCommandOptions extends SearchOptions {
  k: number;
  offset: number;
  facets?: string[];
  deadline?: number;
}

/** Values of a facet that people see; `--json` has all. */
const SHOWN_VALUES = 20;

export function searchCommand(): Command {
  const command = new Command('search')
    .summary('search an index')
    .description(
      'Searches an index: vectors exactly, words by BM25, both fused, and the finalists ranked by a model.',
    )
    .argument('<query...>', 'what to search for');
  addIndexOption(command).option('--k <n>', 'how many hits', wholeNumber(1), 10);
  addFilterOption(addSearchOptions(command))
    .option('--offset <n>', 'leave out the first hits', wholeNumber(0), 0)
    .option('--facets <a,b>', 'count the values of these attributes', names)
    .option('--deadline <ms>', 'milliseconds after which ranking stops', wholeNumber(1));
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Filters: and, or, not; eq, in, lt, lte, gt, gte, exists; near for a point and metres.

Examples:
  $ seine search "remote TypeScript job" --index jobs.seine
  $ seine search "court bailiff" --index jobs.seine --k 3 --ranker none --json | jq '.hits[].id'
  $ seine search nurse --index jobs.seine --facets city \\
      --filter '{"and":[{"eq":["remote",true]},{"gte":["salary",100000]}]}'`,
    )
    .action(run);
}

async function run(words: string[], options: SearchCommandOptions): Promise<void> {
  const out = output(options);
  const query = words.join(' ');
  const filter = parseFilter(options.filter);
  const signal = interruptSignal();
  const index = await openForSearch(options);
  try {
    const { k, offset, depth, retrieve, facets, deadline: deadlineMs } = options;
    const search = { k, offset, depth, retrieve, filter, facets, deadlineMs, signal };
    const answer = await index.search(query, search);
    if (options.json) {
      out.object({ query, ...answer });
      return;
    }
    const colour = showsColour(process.stdout);
    for (const hit of answer.hits) out.data(hitText(hit, colour));
    for (const [name, values] of Object.entries(answer.facets ?? {})) {
      const most = values.slice(0, SHOWN_VALUES).map(({ value, count }) => `${value} ${count}`);
      out.data(`${name}: ${most.join(', ')}${values.length > SHOWN_VALUES ? ', …' : ''}`);
    }
    if (answer.hits.length === 0) out.say('No hits.');
    const { timings } = answer;
    const stages = (['understand', 'retrieve', 'rank', 'respond', 'total'] as const).map(
      (stage) => `${stage} ${timings[stage].toFixed(1)} ms`,
    );
    out.say(`${stages.join(' · ')} · ${answer.device} · generation ${answer.generation}`);
    if (answer.queryTruncated) out.say('The models read only the head of the query.');
    if (answer.truncated > 0) out.say(`The ranker read only the head of ${answer.truncated} documents.`);
  } finally {
    await index.close();
  }
}
