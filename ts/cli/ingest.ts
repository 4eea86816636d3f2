import { Command, InvalidArgumentError, Option } from 'commander';
import { ATTRIBUTE_TYPES } from '../core/attributeValues.ts';
import { SeineError } from '../core/errors.ts';
import { count, duration } from '../core/progress.ts';
import type { AttributeType } from '../core/types.ts';
import { FORMATS, type Format } from '../offline/ingest/format.ts';
import { badLineMessage, type IngestSummary, ingest } from '../offline/ingest/ingest.ts';
import { interruptSignal } from './interrupt.ts';
import { openForWriting } from './openIndex.ts';
import {
  addEmbedderOption,
  addIndexOption,
  addOutputOptions,
  addProviderOption,
  type IndexOptions,
  names,
  wholeNumber,
} from './options.ts';
import { output } from './output.ts';

interface IngestCommandOptions extends IndexOptions {
  format?: Format;
  idField?: string;
  titleField?: string;
  textField?: string[];
  attributes?: string[];
  type?: Record<string, AttributeType>;
  maxTokens?: number;
  passages?: boolean;
  strict?: boolean;
}

/** Bad lines that are shown and listed; the others are only counted. */
const SHOWN_BAD_LINES = 20;

export function ingestCommand(): Command {
  const command = new Command('ingest')
    .summary('put documents into an index')
    .description(
      'Reads documents (JSONL, CSV, TSV, a BEIR directory, a TREC collection, or "-" for standard input), makes ' +
        'their vectors and puts them into an index, which is made if it is not there. Documents that are there ' +
        'with the same content are not encoded again, so the same command also resumes after an interruption.',
    )
    .argument('<sources...>', 'files, BEIR directories, or "-"');
  addIndexOption(command);
  addProviderOption(addEmbedderOption(command))
    .option('--max-tokens <n>', 'cut texts (or passages) at this many tokens', wholeNumber(8))
    .option(
      '--passages',
      'a vector for each of the overlapping passages of a document, not only for its head',
    )
    .addOption(new Option('--format <name>', 'of the sources; else by name and content').choices(FORMATS))
    .option('--id-field <name>', 'field that holds the id (default: id, _id or docno)')
    .option('--title-field <name>', 'field that holds the title (default: title)')
    .option('--text-field <name>', 'field that holds text; may be repeated (default: text)', append)
    .option('--attributes <a,b,c>', 'attributes to keep, or "none" (default: every other field)', names)
    .option(
      '--type <name=type>',
      `type of an attribute: ${ATTRIBUTE_TYPES.join(', ')}; may be repeated`,
      typed,
    )
    .option('--strict', 'stop at the first bad line');
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
Strings like 2026-03-01 or 2026-03-01T12:00:00Z become timestamps, { "lat": …, "lon": … } points, arrays of strings
sets; nested objects get names with dots. In CSV, TSV and TREC numbers and true/false are told by how they look.

Examples:
  $ seine ingest corpus.jsonl --index jobs.seine
  $ seine ingest ./scifact --index scifact.seine --embedder ./all-MiniLM-L6-v2 --max-tokens 256
  $ seine ingest shop.csv --index shop.seine --id-field sku --title-field name --text-field description \\
      --attributes brand,price,tags --type tags=set
  $ gunzip -c dump.jsonl.gz | seine ingest - --index dump.seine --passages`,
    )
    .action(run);
}

function append(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function typed(text: string, before: Record<string, AttributeType> = {}): Record<string, AttributeType> {
  const at = text.lastIndexOf('=');
  const type = ATTRIBUTE_TYPES.find((known) => known === text.slice(at + 1));
  if (at < 1 || type === undefined) {
    throw new InvalidArgumentError(`A name, "=" and one of ${ATTRIBUTE_TYPES.join(', ')} were expected.`);
  }
  return { ...before, [text.slice(0, at)]: type };
}

async function run(sources: string[], options: IngestCommandOptions): Promise<void> {
  const out = output(options);
  const signal = interruptSignal();
  const index = await openForWriting(options);
  const bar = out.progress('ingest', 'tokens');
  const badLines: string[] = [];
  let summary: IngestSummary;
  try {
    summary = await ingest(index, sources, {
      format: options.format,
      id: options.idField,
      title: options.titleField,
      text: options.textField,
      attributes: options.attributes?.join() === 'none' ? [] : options.attributes,
      types: options.type,
      knownTypes: (await index.info()).attributes,
      strict: options.strict,
      signal,
      onBadLine: (bad) => {
        if (badLines.length === SHOWN_BAD_LINES) out.say('Further bad lines are only counted.');
        if (badLines.length > SHOWN_BAD_LINES) return;
        badLines.push(badLineMessage(bad));
        if (!options.strict) out.say(badLineMessage(bad));
      },
      onProgress: ({ documents, tokens, fraction }) => {
        bar.report(tokens, { fraction, note: `${count(documents)} documents` });
      },
    });
  } finally {
    bar.stop();
    await index.close();
  }
  if (options.json)
    out.object({ index: options.index, ...summary, badLineMessages: badLines.slice(0, SHOWN_BAD_LINES) });
  for (const line of describe(summary)) out.say(line);
  if (!summary.interrupted) return;
  throw new SeineError(
    'ERR_INTERRUPTED',
    `Interrupted with ${count(summary.documents)} documents committed. The same command goes on from there and ` +
      'encodes nothing twice.',
  );
}

function describe(summary: IngestSummary): string[] {
  const { documents, inserted, updated, unchanged, superseded, badLines, truncated, tokens } = summary;
  const extra = superseded > 0 ? `, ${count(superseded)} replaced by a later one of the same id` : '';
  const lines = [
    `${count(documents)} documents: ${count(inserted)} new, ${count(updated)} updated, ` +
      `${count(unchanged)} unchanged${extra}.`,
    `${count(tokens)} tokens in ${duration(summary.elapsed)} (${count(summary.tokensPerSecond)} tokens/s); ` +
      `${count(truncated)} texts were cut; ${count(badLines)} bad lines.`,
  ];
  if (summary.unseenAttributes.length > 0) {
    lines.push(`No document has the attributes ${summary.unseenAttributes.join(', ')}.`);
  }
  return lines;
}
