import type { Lane } from './lane.ts';

/**
 * Milliseconds until a lane has come to the end of `wanted` (millionths of slots) that waits in it: that times its mean
 * service time, over the slots that it can count on. These are its part by weight among the workloads that have work,
 * or what the others leave free if that is more, within its minimum and maximum. 0 before anything has been measured.
 */
export function expectedWait(lane: Lane, wanted: number, lanes: readonly Lane[], slots: number): number {
  let weights = lane.settings.weight;
  let others = 0;
  for (const other of lanes) {
    if (other === lane || other.held + other.wanted === 0) continue;
    weights += other.settings.weight;
    others += Math.min(other.most, other.held + other.wanted);
  }
  const fair = (slots * lane.settings.weight) / weights;
  const counted = Math.min(lane.most, Math.max(fair, slots - others, lane.least));
  return (wanted * (lane.serviceMs ?? 0)) / counted;
}
