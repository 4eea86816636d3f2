import { SeineError, show } from '../../core/errors.ts';

/** What a named kind of work may claim. */
export interface WorkloadSettings {
  /** Its part of the slots relative to the other workloads that want them, a positive number. */
  weight: number;
  /** Part of the slots, 0 to 1, up to which its work goes before that of others as slots fall free. */
  minShare: number;
  /** Part of the slots, 0 to 1, that it never exceeds, even if the others are idle: one slot at least. */
  maxShare: number;
  /** Units that may wait; those that come on top are shed. */
  queue: number;
  /** Milliseconds that a unit may wait, if it does not say so itself: left out, any time. */
  deadlineMs?: number | undefined;
}

/** The longest that a timer of Node.js runs, 24 days: one that is longer fires at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/**
 * The workloads that come with the service.
 *
 * - `interactive`: somebody waits. It may take everything and goes first up to half of the slots; beyond that it has
 *   eight parts of ten. After two seconds nobody waits any more, so what would wait longer is shed at once.
 * - `bulk`: imports and long lists, cut into slices of about 20 ms. It borrows what is idle, but never the half that
 *   is the minimum of `interactive`: slices are not interrupted, so that a search finds these slots free and not just
 *   soon to be freed. A larger maximum would hardly speed it up, as the models of a process use all threads for one
 *   call after the other, while each further slice under way keeps every search waiting for a slice longer. It has no
 *   deadline: who imports would rather wait than be refused half-way; the queue bounds how many jobs do.
 * - `judge`: grading and evaluation, work that somebody waits for in minutes: as `bulk`, with twice its weight and a
 *   shorter queue, as its units are heavier.
 */
export const WORKLOADS = {
  interactive: { weight: 8, minShare: 0.5, maxShare: 1, queue: 64, deadlineMs: 2000 },
  bulk: { weight: 1, minShare: 0, maxShare: 0.5, queue: 256 },
  judge: { weight: 2, minShare: 0, maxShare: 0.5, queue: 64 },
} as const satisfies Record<string, WorkloadSettings>;

/** Throws ERR_ARGUMENT, naming the setting, unless these workloads can share `slots`. */
export function checkWorkloads(slots: number, workloads: Record<string, WorkloadSettings>): void {
  if (!Number.isInteger(slots) || slots < 1) {
    throw new SeineError('ERR_ARGUMENT', `slots must be a positive whole number, got ${show(slots)}.`);
  }
  if (typeof workloads !== 'object' || workloads === null || Object.keys(workloads).length === 0) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `workloads must name at least one workload, got ${show(workloads)}.`,
    );
  }
  let reserved = 0;
  for (const [name, settings] of Object.entries(workloads)) {
    checkWorkload(`workloads.${name}`, settings, slots);
    reserved += settings.minShare;
  }
  if (reserved > 1 + 1e-9) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The minShare of all workloads must not exceed 1 together, got ${reserved}: lower some of them.`,
    );
  }
}

function checkWorkload(at: string, settings: WorkloadSettings, slots: number): void {
  if (typeof settings !== 'object' || settings === null) {
    throw new SeineError('ERR_ARGUMENT', `${at} must be an object, got ${show(settings)}.`);
  }
  const { weight, minShare, maxShare, queue, deadlineMs } = settings;
  if (!(Number.isFinite(weight) && weight > 0)) {
    throw new SeineError('ERR_ARGUMENT', `${at}.weight must be a positive number, got ${show(weight)}.`);
  }
  for (const [name, share] of Object.entries({ minShare, maxShare })) {
    if (!(typeof share === 'number' && share >= 0 && share <= 1)) {
      throw new SeineError('ERR_ARGUMENT', `${at}.${name} must be a number from 0 to 1, got ${show(share)}.`);
    }
  }
  if (minShare > maxShare) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${at}.minShare must not exceed its maxShare of ${maxShare}, got ${minShare}.`,
    );
  }
  if (maxShare * slots < 1 - 1e-6) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${at}.maxShare must be one slot at least, got ${maxShare} of ${slots}: raise it to ` +
        `${Math.ceil(1e4 / slots) / 1e4}, or give more slots.`,
    );
  }
  if (!Number.isInteger(queue) || queue < 0) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${at}.queue must be a whole number of 0 or more, got ${show(queue)}.`,
    );
  }
  if (deadlineMs !== undefined) checkDeadline(`${at}.deadlineMs`, deadlineMs);
}

/** Throws ERR_ARGUMENT unless this is a time that a unit can wait. */
export function checkDeadline(at: string, deadlineMs: number): void {
  if (!(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= LONGEST_MS)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${at} must be a number of milliseconds above 0 and at most ${LONGEST_MS}, got ${show(deadlineMs)}.`,
    );
  }
}
