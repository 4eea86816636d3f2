import { wordsFor } from '../core/bitset.ts';
import type { Column, Columns } from './columns.ts';
import { orderedKey } from './columnWords.ts';
import type { FilterProgram } from './device.ts';
import { passingRows } from './passingRows.ts';
import { type CompiledClause, timestampValue } from './reference/filter.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What a step does with the stack of bitsets. Leaves push the rows one of whose keys lies in one of the intervals:
 * `code`, `wide` and `set` say how their column lies (see `columnWords`). `not` changes the last bitset, `and` and `or`
 * join the last two.
 */
export const OPERATION = { none: 0, bits: 1, code: 2, wide: 3, set: 4, not: 5, and: 6, or: 7 } as const;

/** Both ends belong to it. */
type Interval = readonly [lowest: bigint, highest: bigint];

/** Key 0 is a missing value. */
const LOWEST = 1n;
const HIGHEST = 2n ** 64n - 1n;
const INT64 = 2n ** 63n;

/** The program of a condition for the rows of a snapshot that are not removed. Points are looked at by the host. */
export async function filterProgram(
  clause: CompiledClause,
  columns: Columns,
  { count, kept }: Snapshot,
  signal: AbortSignal | undefined,
): Promise<FilterProgram> {
  const writer = new ProgramWriter(columns);
  writer.add(clause);
  const known: Uint32Array[] = [];
  for (const { passes } of writer.onHost) known.push(await passingRows(passes, count, signal));
  if (kept !== undefined) {
    writer.push(OPERATION.bits, known.length);
    writer.join(OPERATION.and);
    known.push(kept);
  }
  const words = wordsFor(count);
  const bits = new Uint32Array(words * known.length);
  for (const [i, bitset] of known.entries()) bits.set(bitset, i * words);
  return {
    steps: Uint32Array.from(writer.steps.flat()),
    intervals: new Uint32Array(BigUint64Array.from(writer.intervals.flat()).buffer),
    bits,
    depth: writer.depth,
  };
}

class ProgramWriter {
  readonly steps: (readonly number[])[] = [];
  readonly intervals: Interval[] = [];
  /** Clauses over points: float64 sines and cosines are the host's. */
  readonly onHost: CompiledClause[] = [];
  depth = 0;
  #held = 0;
  readonly #columns: Columns;
  readonly #places: Map<string, number>;

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#places = new Map([...columns.entries()].map(([name], place) => [name, place]));
  }

  push(operation: number, operand = 0, first = 0, count = 0): void {
    this.steps.push([operation, operand, first, count]);
    this.#held++;
    this.depth = Math.max(this.depth, this.#held);
  }

  join(operation: number): void {
    this.steps.push([operation, 0, 0, 0]);
    this.#held--;
  }

  add(clause: CompiledClause): void {
    const { operator, clauses = [] } = clause;
    switch (operator) {
      case 'and':
      case 'or':
        if (clauses.length === 0) this.push(OPERATION.none);
        if (clauses.length === 0 && operator === 'and') this.#negate();
        clauses.forEach((part, i) => {
          this.add(part);
          if (i > 0) this.join(OPERATION[operator]);
        });
        break;
      case 'not':
        this.add(clauses[0]!);
        this.#negate();
        break;
      default:
        this.#addLeaf(clause);
    }
  }

  #negate(): void {
    this.steps.push([OPERATION.not, 0, 0, 0]);
  }

  #addLeaf(clause: CompiledClause): void {
    const column = this.#columns.get(clause.attribute!);
    const place = this.#places.get(clause.attribute!)!;
    if (column.type === 'geo') {
      this.push(OPERATION.bits, this.onHost.length);
      this.onHost.push(clause);
    } else if (column.type === 'set' && clause.operator === 'exists') {
      // A set may be there and empty; one that is missing has the member 0.
      this.#pushIntervals(OPERATION.set, place, [[0n, 0n]]);
      this.#negate();
    } else {
      this.#pushIntervals(layoutOf(column), place, intervalsOf(clause, column));
    }
  }

  #pushIntervals(operation: number, place: number, intervals: readonly Interval[]): void {
    if (intervals.length === 0) this.push(OPERATION.none);
    else this.push(operation, place, this.intervals.length, intervals.length);
    for (const interval of intervals) this.intervals.push(interval);
  }
}

function layoutOf({ type }: Column): number {
  if (type === 'set') return OPERATION.set;
  return type === 'number' || type === 'timestamp' ? OPERATION.wide : OPERATION.code;
}

/** The keys that a comparison passes: rising, disjoint, none of them that of a missing value. */
function intervalsOf({ operator, operands = [], path }: CompiledClause, column: Column): Interval[] {
  const key = (value: unknown) => keyOf(column, value, path);
  const all = (): Interval[] => {
    switch (operator) {
      case 'exists':
        return [[LOWEST, HIGHEST]];
      case 'lt':
        return [[LOWEST, key(operands[0])! - 1n]];
      case 'lte':
        return [[LOWEST, key(operands[0])!]];
      case 'gt':
        return [[key(operands[0])! + 1n, HIGHEST]];
      case 'gte':
        return [[key(operands[0])!, HIGHEST]];
      default: {
        const values = operator === 'in' ? (operands[0] as unknown[]) : operands;
        return joined(values.map(key).filter((one) => one !== undefined));
      }
    }
  };
  return all()
    .map(([low, high]): Interval => [low < LOWEST ? LOWEST : low, high > HIGHEST ? HIGHEST : high])
    .filter(([low, high]) => low <= high);
}

/** Keys as intervals, neighbours in one. */
function joined(keys: bigint[]): Interval[] {
  const intervals: [bigint, bigint][] = [];
  for (const key of keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = intervals.at(-1);
    if (last !== undefined && key <= last[1] + 1n) last[1] = key;
    else intervals.push([key, key]);
  }
  return intervals;
}

/** A timestamp's may lie beyond 64 bits; `undefined` is a word that no row has. */
function keyOf(column: Column, value: unknown, path: string): bigint | undefined {
  switch (column.type) {
    case 'number':
      return orderedKey(value as number);
    case 'timestamp':
      return timestampValue(value, path) + INT64;
    case 'boolean':
      return value === true ? 2n : 1n;
    case 'keyword':
    case 'set': {
      const code = column.dictionary.get(value as string);
      return code === undefined ? undefined : BigInt(code) + 1n;
    }
    case 'geo':
      return undefined;
  }
}
