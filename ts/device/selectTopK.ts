import { SeineError } from '../core/errors.ts';
import type { DeviceName, SelectOptions, TopK } from '../core/types.ts';
import type { Found, SelectTask } from './device.ts';
import { pacer } from './pacer.ts';
import { emptyTopK, fillTopK } from './topK.ts';
import { checkInteger, checkKeys, checkOneOf, copyMatrix, MAX_ROWS } from './validate.ts';

export const ORDERS = ['highest', 'lowest'] as const;
/** Scores looked at between two looks at the clock. */
const SLICE = 1 << 18;

/** The front of every device's `select`: checks, an owned copy of the scores, and empty slots. */
export async function selectTopK(
  device: DeviceName,
  select: (task: SelectTask) => Promise<Found>,
  scores: unknown,
  options: SelectOptions,
): Promise<TopK> {
  const known = checkKeys(options, 'options', ['n', 'k', 'order']);
  const n = checkInteger(known.n, 'n', 1, MAX_ROWS - 1);
  const k = checkInteger(known.k, 'k', 1, MAX_ROWS - 1);
  const lowest = checkOneOf(known.order, 'order', ORDERS) === 'lowest';
  const owned = copyMatrix(scores, n, 'scores');
  const q = owned.length / n;
  const topK = emptyTopK(q, k, lowest, 0, device);
  if (q === 0) return topK;
  await refuseNaN(owned, n);
  const filled = Math.min(k, n);
  const found = await select({ scores: owned, q, n, k: filled, lowest });
  return fillTopK(topK, found, filled, new Uint32Array(q).fill(filled));
}

/** Makes -0 0, too. */
async function refuseNaN(scores: Float32Array, n: number): Promise<void> {
  const pause = pacer();
  for (let i = 0; i < scores.length; i++) {
    if (i % SLICE === 0) await pause();
    scores[i]! += 0; // -0 is 0
    if (!Number.isNaN(scores[i]!)) continue;
    throw new SeineError(
      'ERR_NOT_FINITE',
      `scores must hold numbers, got NaN for query ${Math.floor(i / n)}, column ${i % n} (index ${i}): ` +
        'NaN has no place in an order, so give such columns the worst infinity or leave them out.',
    );
  }
}
