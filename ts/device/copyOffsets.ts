import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import { copyWords } from './validate.ts';

/**
 * An owned copy of where the tokens of documents or queries begin, and the end: `[items + 1]`, not falling from 0 to
 * `tokens`. Must be there with maxsim, and must not be else.
 */
export function copyOffsets(
  value: unknown,
  maxsim: boolean,
  tokens: number,
  owner: string,
): Uint32Array | undefined {
  if (!maxsim) {
    if (value === undefined) return undefined;
    throw new SeineError(
      'ERR_ARGUMENT',
      `offsets are for rows uploaded with maxsim: true, which these were not, got ${show(value)}: leave offsets out.`,
    );
  }
  if (!isTypedArray(value, 'Uint32Array')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `offsets must be a Uint32Array of where the tokens of each of the ${owner} begin, and the end, got ${show(value)}.`,
    );
  }
  const offsets = copyWords(value, 'offsets');
  const fallen = offsets.findIndex((offset, i) => (i === 0 ? offset !== 0 : offset < offsets[i - 1]!));
  if (offsets.length > 0 && fallen < 0 && offsets.at(-1) === tokens) return offsets;
  const found = fallen < 0 ? `${offsets.at(-1) ?? 'nothing'} at the end` : `${offsets[fallen]} at ${fallen}`;
  throw new SeineError(
    'ERR_DIMENSION',
    `offsets must rise, or stay, from 0 to the ${tokens} tokens of the ${owner}, got ${found}.`,
  );
}
