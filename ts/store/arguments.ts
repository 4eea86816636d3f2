import { SeineError, show } from '../core/errors.ts';

/** Throws ERR_ARGUMENT unless `holds`. */
export function expectArgument(
  holds: boolean,
  name: string,
  expected: string,
  value: unknown,
): asserts holds {
  if (!holds) throw new SeineError('ERR_ARGUMENT', `${name} must be ${expected}, got ${show(value)}.`);
}

/** Throws ERR_ARGUMENT unless `value` is a whole number of at least `minimum`. */
export function expectInteger(value: number, name: string, minimum: number): void {
  const holds = Number.isSafeInteger(value) && value >= minimum;
  expectArgument(holds, name, `a whole number of at least ${minimum}`, value);
}
