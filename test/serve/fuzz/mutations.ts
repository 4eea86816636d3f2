import fc, { type Arbitrary } from 'fast-check';
import { anyJson, oddNumber, text } from './values.ts';

type Path = (string | number)[];

/** Nothing is changed further inside. */
const MOST_DEPTH = 12;

/** All places within a value, the whole first. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || path.length === MOST_DEPTH) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

function changed(value: unknown, path: Path, change: (at: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  const next = changed(copy[key], rest, change);
  if (next === undefined) delete copy[key];
  else
    Object.defineProperty(copy, key, { value: next, enumerable: true, configurable: true, writable: true });
  return copy;
}

const deep = fc
  .tuple(fc.integer({ min: 1, max: 2000 }), fc.constantFrom('[]', '{"not":}', '{"and":[]}'))
  .map(([times, pattern]) => {
    const middle = pattern.search(/[\]}]/);
    const [open, close] = [pattern.slice(0, middle), pattern.slice(middle)];
    return JSON.parse(
      `${open.repeat(times)}${pattern === '[]' ? '' : '{}'}${close.repeat(times)}`,
    ) as unknown;
  });

const change: Arbitrary<(at: unknown) => unknown> = fc.oneof(
  anyJson.map((other) => () => other),
  oddNumber.map((other) => () => other),
  text.map((other) => () => other),
  fc.constant(() => undefined),
  fc.constant((at: unknown) => [at]),
  fc.constant((at: unknown) => JSON.stringify(at) ?? 'undefined'),
  fc.constant((at: unknown) => (typeof at === 'object' && at !== null ? { ...at, extra: 1 } : { at })),
  fc.constantFrom('__proto__', 'constructor', 'toString').map((name) => (at: unknown) => {
    return typeof at === 'object' && at !== null ? JSON.parse(`{"${name}":{"k":1}}`) : name;
  }),
  fc.constant((at: unknown) => (Array.isArray(at) ? Array.from({ length: 2000 }, () => at[0] ?? 'a') : at)),
  deep.map((other) => () => other),
);

/** A value that is perhaps no longer what it was: of another type, incomplete, overfull, too large, too deep. */
export function mutated(value: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc
    .tuple(value, fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 3 }))
    .map(([base, steps]) =>
      steps.reduce<unknown>((now, [at, next]) => {
        const all = places(now);
        return changed(now, all[at % all.length]!, next);
      }, base),
    );
}

/** JSON that is no longer JSON, for the most part. */
export function damaged(json: Arbitrary<string>): Arbitrary<string> {
  return fc
    .tuple(
      json,
      fc.nat(),
      fc.constantFrom('cut', 'NaN', '1e999', '}', '"', '\u0000', ',', '\ud800', '\n', '\\u12'),
    )
    .map(([whole, at, what]) => {
      const place = whole.length === 0 ? 0 : at % whole.length;
      return what === 'cut' ? whole.slice(0, place) : whole.slice(0, place) + what + whole.slice(place + 1);
    });
}
