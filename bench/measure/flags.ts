import { parseArgs } from 'node:util';

export interface Flags {
  /** A look that takes a minute at most and keeps nothing. */
  quick: boolean;
  /** The result on standard output. */
  json: boolean;
}

/** What a benchmark of this process was told. */
export function readFlags(): Flags {
  const flag = { type: 'boolean', default: false } as const;
  return parseArgs({ options: { quick: flag, json: flag } }).values;
}
