import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceName, RetrieveMode } from '../core/types.ts';
import type { Precision } from '../models/contracts.ts';
import type { Provider } from '../models/session.ts';

/** Parser of a whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`A whole number of at least ${minimum} was expected.`);
    }
    return value;
  };
}

/** Whole numbers from 0 on, separated by commas. */
function wholeNumbers(text: string): number[] {
  return text.split(',').map(wholeNumber(0));
}

/** Names separated by commas; those of a repeated option are added. */
export function names(text: string, before: string[] | undefined): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new InvalidArgumentError('Names separated by commas were expected.');
  return [...(before ?? []), ...parts];
}

const DEVICES: (DeviceName | 'auto')[] = ['auto', 'cuda', 'webgpu', 'cpu', 'reference'];
const PRECISIONS: Precision[] = ['f32', 'q8', 'q4'];
const PROVIDERS: Provider[] = ['cpu', 'webgpu', 'cuda'];
const RETRIEVE_MODES: RetrieveMode[] = ['dense', 'bm25', 'fused'];

/** Options of every command that opens an index. */
export interface IndexOptions {
  index: string;
  embedder?: string;
  ranker?: string;
  precision?: Precision;
  provider?: Provider;
  device?: DeviceName | 'auto';
  devices?: number[];
  json?: boolean;
  quiet?: boolean;
}

/** Options of a command that asks one query. */
export interface SearchOptions extends IndexOptions {
  depth: number;
  retrieve: RetrieveMode;
  /** JSON. */
  filter?: string;
}

export function addIndexOption(command: Command): Command {
  return command.requiredOption('--index <file>', 'the index');
}

export function addEmbedderOption(command: Command): Command {
  return command.option('--embedder <dir>', 'model that makes vectors: a directory or a name');
}

export function addProviderOption(command: Command): Command {
  return command.addOption(
    new Option('--provider <name>', 'where models run').choices(PROVIDERS).default('cpu'),
  );
}

export function addSearchOptions(command: Command): Command {
  return addProviderOption(addEmbedderOption(command))
    .option('--ranker <dir>', 'cross-encoder or language model that ranks: a directory, a name, or "none"')
    .addOption(
      new Option(
        '--precision <p>',
        "of the ranker's matrices, where it has no ONNX graph: codes of 8 or 4 bits are quicker",
      )
        .choices(PRECISIONS)
        .default('f32'),
    )
    .option('--depth <n>', 'how many finalists are ranked', wholeNumber(0), 50)
    .addOption(
      new Option('--retrieve <how>', 'exact vectors, words, or both fused')
        .choices(RETRIEVE_MODES)
        .default('fused'),
    )
    .addOption(new Option('--device <name>', 'where vectors are searched').choices(DEVICES).default('auto'))
    .option(
      '--devices <numbers>',
      'with --device cuda: the GPUs that share the search, like 0,1',
      wholeNumbers,
    );
}

export function addFilterOption(command: Command): Command {
  return command.option('--filter <json>', 'condition that hits must meet');
}

export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object to standard output')
    .option('--quiet', 'no progress and no remarks on standard error');
}
