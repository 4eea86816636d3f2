import { type Lane, SLOT } from './lane.ts';

/** By how much more than its fair turn others may go before a unit until it goes first. */
const PATIENCE = 4;

export interface Turn {
  /** The workload whose first unit is next, if any can be. */
  lane: Lane | undefined;
  /** Virtual time as of this turn. */
  virtual: number;
}

/**
 * Chooses the workload whose first unit starts next, as start-time fair queueing does (P. Goyal, H. M. Vin, H. Cheng:
 * Start-time Fair Queueing, SIGCOMM 1996; on several servers at once: W. Jin, J. S. Chase, J. Kaur: Interposed
 * Proportional Sharing for a Storage Service Utility, SIGMETRICS 2004). A unit of cost c and weight w has the start
 * tag `S = max(v, F)` and makes the finish tag `F = S + c / w` of its workload; v, the virtual time, is the least start
 * tag of those that may start, and the least goes first.
 *
 * Before that come, in this order: workloads that have been passed over for so long that they would starve, which
 * happens only where minima take up all slots, and workloads below their minimum. A workload at its maximum may not
 * start. The chosen unit waits until it fits: nothing lighter slips past it, or it might wait for ever.
 */
export function nextLane(lanes: readonly Lane[], virtual: number, slots: number): Turn {
  const weights = lanes.reduce((sum, lane) => sum + lane.settings.weight, 0);
  let best: { lane: Lane; tier: number; start: number; finish: number } | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const lane of lanes) {
    const head = lane.line.first;
    if (head === undefined || lane.held + head.cost > lane.most) continue;
    const { weight } = lane.settings;
    const start = Math.max(virtual, lane.finish);
    least = Math.min(least, start);
    const overdue = lane.passed > (PATIENCE * slots * weights) / weight;
    const candidate = {
      lane,
      tier: overdue ? 0 : lane.held < lane.least ? 1 : 2,
      start,
      finish: start + head.cost / SLOT / weight,
    };
    if (best === undefined || before(candidate, best)) best = candidate;
  }
  return { lane: best?.lane, virtual: best === undefined ? virtual : least };
}

interface Rank {
  tier: number;
  start: number;
  finish: number;
}

function before(a: Rank, b: Rank): boolean {
  if (a.tier !== b.tier) return a.tier < b.tier;
  if (a.start !== b.start) return a.start < b.start;
  return a.finish < b.finish;
}
