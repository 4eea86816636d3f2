import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { SeineError } from '../core/errors.ts';
import { count, duration } from '../core/progress.ts';
import { interruptSignal } from './interrupt.ts';
import { openForWriting } from './openIndex.ts';
import { addIndexOption, addOutputOptions, type IndexOptions, wholeNumber } from './options.ts';
import { output } from './output.ts';

interface ReembedCommandOptions extends IndexOptions {
  embedder: string;
  maxTokens?: number;
}

export function reembedCommand(): Command {
  const command = new Command('reembed')
    .summary('make the vectors of an index anew with another model')
    .description(
      'Makes vectors of all documents with another model while the index can be searched with the present one, ' +
        'then changes over at once. After an interruption the same command goes on from where it was.',
    );
  addIndexOption(command)
    .requiredOption('--embedder <dir>', 'the new model: a directory or a name')
    .option('--max-tokens <n>', 'cut texts (or passages) at this many tokens', wholeNumber(8));
  return addOutputOptions(command)
    .addHelpText('after', '\nExample:\n  $ seine reembed --index jobs.seine --embedder ./all-MiniLM-L6-v2')
    .action(run);
}

async function run(options: ReembedCommandOptions): Promise<void> {
  const out = output(options);
  if (!existsSync(options.index)) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `There is no index at "${options.index}": "seine ingest" makes one.`,
    );
  }
  const signal = interruptSignal();
  const { index: path, json, quiet } = options;
  const index = await openForWriting({ index: path, ...(json && { json }), ...(quiet && { quiet }) });
  const started = performance.now();
  try {
    const { rows, model: present } = await index.info();
    const { openEmbedder } = await import('../open.ts');
    const settings = { maxTokens: options.maxTokens, passages: present?.passages };
    const { encoder, model } = await openEmbedder(options.embedder, settings);
    const bar = out.progress('reembed', 'texts', rows);
    try {
      const result = await index.reembed(encoder, model, {
        signal,
        onProgress: ({ texts, tokens }) => bar.report(texts, { note: `${count(tokens)} tokens` }),
      });
      const elapsed = performance.now() - started;
      if (json) out.object({ index: path, embedder: model.name, hash: model.hash, ...result, elapsed });
      out.say(
        `${count(result.documents)} documents embedded with ${model.name}: ${count(result.tokens)} tokens in ` +
          `${duration(elapsed)}.`,
      );
    } catch (error) {
      await encoder.close(); // only a finished index takes it over
      throw error;
    } finally {
      bar.stop();
    }
  } finally {
    await index.close();
  }
}
