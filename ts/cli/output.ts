import { type Progress, progress } from '../core/progress.ts';

export interface OutputOptions {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
}

/** Version of the objects that `--json` prints; it rises when a field changes its meaning or goes. */
const SCHEMA_VERSION = 1;

/** Where a command writes: data to standard output, talk to standard error. */
export interface Output {
  /** The one object of `--json`. */
  object(value: object): void;
  /** A line of data. */
  data(text: string): void;
  /** A line of talk; nothing with `--quiet`. */
  say(text: string): void;
  /** A line that `--quiet` does not silence. */
  warn(text: string): void;
  progress(label: string, unit: string, total?: number): Progress;
}

export function output({ quiet = false }: OutputOptions): Output {
  return {
    object: (value) => {
      const plain = { schemaVersion: SCHEMA_VERSION, ...value };
      process.stdout.write(
        `${JSON.stringify(plain, (_, part) => (typeof part === 'bigint' ? String(part) : part), 2)}\n`,
      );
    },
    data: (text) => process.stdout.write(`${text}\n`),
    say: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
    warn: (text) => process.stderr.write(`${text}\n`),
    progress: (label, unit, total) => progress({ label, unit, total, quiet }),
  };
}
