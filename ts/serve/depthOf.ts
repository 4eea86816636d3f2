import type { DepthController } from './depth/depthController.ts';
import type { Service } from './service.ts';

/** Documents that are ranked where neither the caller nor the settings say how many. */
const DEPTH = 50;

export interface ChosenDepth {
  depth: number;
  /** What to tell the latency to, if the depth is the one that it chose. */
  controller: DepthController | undefined;
}

/**
 * The depth to explain a hit of: that of the search that is asked about, even if less is allowed now, within what its
 * workload is ever allowed.
 */
export function explainedDepth(service: Service, workload: string, asked: number | undefined): number {
  if (asked === undefined) return depthOf(service, workload, asked).depth;
  return Math.min(asked, service.settings.workloads[workload]?.depth?.greatest ?? asked);
}

/** The ranking depth of a request: as asked, but no more than is allowed now. */
export function depthOf({ depths }: Service, workload: string, asked: number | undefined): ChosenDepth {
  const controller = depths.get(workload);
  const allowed = controller?.depth;
  const depth = Math.min(asked ?? allowed ?? DEPTH, allowed ?? Number.POSITIVE_INFINITY);
  return { depth, controller: depth === allowed ? controller : undefined };
}
