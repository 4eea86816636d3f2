import type { Dtype, Metric } from '../../ts/core/types.ts';
import { DTYPES, METRICS, type NativeAddon, type NativeRows } from '../../ts/device/native.ts';
import { nativeQuantize } from '../../ts/device/nativeQuantize.ts';
import { arraysOf } from '../../ts/device/storedRows.ts';

interface Direct {
  dim: number;
  metric: Metric;
  threads: number;
  certified: boolean;
  dtype?: Dtype;
}

/** Rows of the addon's cpu device, without anything of TypeScript before them; to be disposed. */
export async function directRows(
  addon: NativeAddon,
  values: Float32Array,
  { dim, metric, threads, certified, dtype = 'f32' }: Direct,
): Promise<NativeRows> {
  const backend = addon.openCpu('', threads, certified);
  const rows = addon.createRows(backend, dim, METRICS.indexOf(metric), DTYPES.indexOf(dtype));
  const { codes, scales } = arraysOf((await nativeQuantize(addon, values, { dim, dtype })).rows);
  await addon.append(rows, codes, scales);
  return rows;
}
