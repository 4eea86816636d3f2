import { expectedWait } from './expectedWait.ts';
import { type Lane, SLOT } from './lane.ts';

/**
 * A workload now, and its counters since the start. `admitted` is the sum of `running`, `waiting`, `completed`,
 * `failed`, `expired` and `cancelled`; what came is `admitted` and `shed`.
 */
export interface WorkloadState {
  weight: number;
  /** Minimum and maximum in slots. */
  minSlots: number;
  maxSlots: number;
  /** Units that run, and the slots that they occupy. */
  running: number;
  slots: number;
  /** Units that wait. */
  waiting: number;
  admitted: number;
  /** Tasks that were fulfilled, and that were rejected. */
  completed: number;
  failed: number;
  /** Refused on arrival with ERR_OVERLOADED. */
  shed: number;
  /** Refused after waiting with ERR_DEADLINE. */
  expired: number;
  /** Aborted by their signal while they waited or ran. */
  cancelled: number;
  /** Milliseconds that all started units have waited. */
  waitedMs: number;
  /** Milliseconds times slots that all ended units have occupied: their rate over `slots` is the utilisation. */
  slotMs: number;
  /** Mean milliseconds of recent units, by cost; `undefined` before the first. */
  serviceMs: number | undefined;
  /** Milliseconds that a unit of cost 1 can expect to wait if it comes now. */
  waitMs: number;
}

/** The state of a lane, which shares `slots` (millionths) with the others of `lanes`. */
export function stateOf(lane: Lane, lanes: readonly Lane[], slots: number): WorkloadState {
  const { line, held, least, most, running, tally, waitedMs, slotMs, serviceMs } = lane;
  const occupied = lanes.reduce((sum, other) => sum + other.held, 0);
  const room = line.length === 0 && occupied + SLOT <= slots && held + SLOT <= most;
  return {
    weight: lane.settings.weight,
    minSlots: least / SLOT,
    maxSlots: most / SLOT,
    running,
    slots: held / SLOT,
    waiting: line.length,
    ...tally,
    waitedMs,
    slotMs,
    serviceMs,
    waitMs: room ? 0 : expectedWait(lane, lane.wanted + SLOT, lanes, slots),
  };
}
