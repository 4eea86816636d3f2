import type { FilterExpression } from '../../core/types.ts';

/** What was chosen of one attribute: any of some values, or a range with both ends in it. */
export type Choice =
  | { kind: 'values'; values: (string | boolean)[] }
  | { kind: 'numbers'; least?: number | undefined; most?: number | undefined }
  /** Days, `YYYY-MM-DD` in UTC; the last one is included whole. */
  | { kind: 'dates'; least?: string | undefined; most?: string | undefined };

export interface Filters {
  choices: Map<string, Choice>;
  /** Clauses that the page has no controls for. */
  rest: FilterExpression[];
}

const DAY = /^\d{4}-\d\d-\d\d$/;
const DAY_MS = 86_400_000;

export function noFilters(): Filters {
  return { choices: new Map(), rest: [] };
}

/** The filter that says what was chosen; `undefined` if nothing was. */
export function buildFilter({ choices, rest }: Filters): FilterExpression | undefined {
  const clauses = [...choices].flatMap(([name, choice]) => clausesOf(name, choice));
  const all = [...clauses, ...rest];
  return all.length > 1 ? { and: all } : all[0];
}

/** What was chosen, from a filter: the reverse of `buildFilter`. */
export function readFilter(filter: FilterExpression | undefined): Filters {
  const filters = noFilters();
  if (filter === undefined) return filters;
  const clauses = 'and' in filter && Array.isArray(filter.and) ? filter.and : [filter];
  for (const clause of clauses) if (!take(filters.choices, clause)) filters.rest.push(clause);
  return filters;
}

/** With one attribute chosen anew; an empty choice takes it out. */
export function choose({ choices, rest }: Filters, name: string, choice: Choice): Filters {
  const changed = new Map(choices);
  if (clausesOf(name, choice).length > 0) changed.set(name, choice);
  else changed.delete(name);
  return { choices: changed, rest };
}

function clausesOf(name: string, choice: Choice): FilterExpression[] {
  if (choice.kind === 'values') {
    const [first] = choice.values;
    if (first === undefined) return [];
    return [choice.values.length === 1 ? { eq: [name, first] } : { in: [name, choice.values] }];
  }
  const { least, most } = choice;
  const lower: FilterExpression[] = least === undefined ? [] : [{ gte: [name, least] }];
  if (most === undefined) return lower;
  return [
    ...lower,
    choice.kind === 'numbers' ? { lte: [name, most] } : { lt: [name, shiftDay(String(most), 1)] },
  ];
}

/** Whether a clause is one that `clausesOf` makes and fits what is chosen so far. */
function take(choices: Map<string, Choice>, clause: FilterExpression): boolean {
  const [operator, operand] = Object.entries(clause ?? {})[0] ?? [];
  if (operator === undefined || !Array.isArray(operand) || operand.length !== 2) return false;
  const [name, value] = operand as [unknown, unknown];
  if (typeof name !== 'string') return false;
  const known = choices.get(name);
  if (operator === 'eq' || operator === 'in') {
    const values: unknown = operator === 'eq' ? [value] : value;
    if (known !== undefined || !isValues(values)) return false;
    choices.set(name, { kind: 'values', values });
    return true;
  }
  const end = operator === 'gte' ? 'least' : operator === 'lte' || operator === 'lt' ? 'most' : undefined;
  if (end === undefined || (known !== undefined && known.kind !== 'values' && known[end] !== undefined))
    return false;
  if (typeof value === 'number' && operator !== 'lt')
    return extend(choices, name, 'numbers', { [end]: value });
  if (typeof value === 'string' && DAY.test(value) && operator !== 'lte') {
    return extend(choices, name, 'dates', { [end]: end === 'most' ? shiftDay(value, -1) : value });
  }
  return false;
}

function extend(
  choices: Map<string, Choice>,
  name: string,
  kind: 'numbers' | 'dates',
  end: Record<string, unknown>,
): boolean {
  const known = choices.get(name);
  if (known !== undefined && known.kind !== kind) return false;
  choices.set(name, { ...known, kind, ...end } as Choice);
  return true;
}

function isValues(values: unknown): values is (string | boolean)[] {
  return (
    Array.isArray(values) &&
    values.length > 0 &&
    values.every((value) => typeof value === 'string' || typeof value === 'boolean')
  );
}

function shiftDay(day: string, days: number): string {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? day : new Date(time + days * DAY_MS).toISOString().slice(0, 10);
}
