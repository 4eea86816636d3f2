import { type Random, random } from '../../ts/core/random.ts';

type Rule = (row: number, column: number, source: Random) => number;

/** Rows that `rule` names are near the queries (of the kind `around one`), the others far from them. */
const winners =
  (rule: (row: number) => boolean): Rule =>
  (row, _column, source) =>
    rule(row) ? 1 + source.normal() / 8 : source.normal() / 8;

/** Kinds of data that strain a selection or an error bound: a number from its row, its column and chance. */
export const KINDS: Record<string, Rule> = {
  normal: (_row, _column, source) => source.normal(),
  'around one': (_row, _column, source) => 1 + source.normal() / 8,
  'few values': (_row, _column, source) => source.below(3) - 1,
  'all ±127': (_row, _column, source) => (source.next() < 0.5 ? -127 : 127),
  'all rows equal': (_row, column) => Math.sin(column + 1),
  'rows of eight kinds': (row, column) => Math.cos((row % 8) * 7 + column),
  'pairs of duplicates': (row, column) => Math.cos((row >> 1) * 5 + column * 3),
  'one bit apart': (_row, column, source) => Math.sin(column + 1) * (1 + source.below(3) * 2 ** -23),
  rising: (row, column) => (column === 0 ? row : 1e-3 * column),
  falling: (row, column) => (column === 0 ? -row : 1e-3 * column),
  'winners in one lane': winners((row) => row % 32 === 5),
  'winners in one warp': winners((row) => (row >> 5) % 8 === 3),
  'winners in one thread of 256': winners((row) => row % 256 === 255),
  'winners in one tile': winners((row) => row >> 6 === 3),
  'winners in one stripe': winners((row) => row >> 9 === 1),
  'far from the origin': (_row, _column, source) => 1e4 + source.normal() / 16,
  huge: (_row, _column, source) => source.normal() * 1e30,
  'near overflow': (_row, _column, source) =>
    source.next() < 0.2 ? source.normal() * 6e37 : source.normal(),
  'lengths from 1 to 1e30': (row, _column, source) => source.normal() * 10 ** (row % 31),
  denormal: (_row, _column, source) => source.normal() * 1e-40,
  'all magnitudes': (_row, _column, source) => source.normal() * 2 ** (source.below(250) - 140),
  'signed zeros': (row, _column, source) =>
    row % 3 === 0 ? (source.next() < 0.5 ? -0 : 0) : source.normal(),
};

/** What was drawn last: the device and the reference get the same. */
const drawn = new Map<string, Float32Array>();

/** `[rows, dim]` numbers of a kind. */
export function numbers(rows: number, dim: number, kind: string, seed: number): Float32Array {
  const key = `${rows} ${dim} ${kind} ${seed}`;
  if (drawn.size > 8) drawn.clear();
  const values = drawn.get(key) ?? draw(rows, dim, kind, seed);
  drawn.set(key, values);
  return values;
}

/** Queries that suit rows of a kind. */
export const queriesFor = (rows: string): string => (rows.startsWith('winners') ? 'around one' : rows);

function draw(rows: number, dim: number, kind: string, seed: number): Float32Array {
  const source = random(seed);
  const rule = KINDS[kind]!;
  const values = new Float32Array(rows * dim);
  for (let i = 0; i < values.length; i++) values[i] = rule(Math.floor(i / dim), i % dim, source);
  return values.map((value) => (Number.isFinite(value) ? value : 3e38));
}
