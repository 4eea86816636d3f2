import type { Metric } from '../../ts/core/types.ts';
import { DTYPES, METRICS, type NativeAddon, type NativeRows } from '../../ts/device/native.ts';

/** Float32 rows of the addon's cpu device, without anything of TypeScript before them; to be disposed. */
export async function directRows(
  addon: NativeAddon,
  values: Float32Array,
  { dim, metric, threads, certified }: { dim: number; metric: Metric; threads: number; certified: boolean },
): Promise<NativeRows> {
  const backend = addon.openCpu('', threads, certified);
  const rows = addon.createRows(backend, dim, METRICS.indexOf(metric), DTYPES.indexOf('f32'));
  await addon.append(rows, values, new Float32Array());
  return rows;
}
