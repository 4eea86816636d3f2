import { BLOCK_WORDS, type PassingShape } from './bitsetPasses.ts';

/** What the time of a list is set against. */
interface Thresholds {
  /** Rows whose codes a scan by a bitset reads in the time in which a scan by a list reads a row. */
  perListed: number;
  /** Rows that a list reads in the time which a bitset takes in any case. */
  free: number;
}

/** Levels that multiply int8 codes by one instruction, so that they read codes faster. */
const CODED = ['amx', 'avx512vnni', 'neondot'];

/**
 * Whether a search of the cpu device at this instruction-set level is faster by a list. A list costs by the row, each read
 * from where it lies; a bitset by the block that holds any, as all its codes are read. Measured by `npm run bench --
 * strategies` on avx2, kept in bench/results/strategies.json, and by `npm run bench -- filter` on avx512vnni, where the
 * faster strategy changes between 10 and 30 % of random rows.
 */
export function cpuListPays(
  isa: string,
  { perListed, free }: Thresholds = { perListed: CODED.includes(isa) ? 8 : 4, free: 600 },
): (shape: PassingShape) => boolean {
  return ({ passing, blocks }) => passing <= (32 * BLOCK_WORDS * blocks) / perListed + free;
}
