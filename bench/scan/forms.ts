import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dtype } from '../../ts/core/types.ts';
import { directRows } from '../measure/directRows.ts';
import { interleaved } from '../measure/interleaved.ts';
import { type Sample, sample } from '../measure/sample.ts';
import { rounded, type Summary, summary } from '../measure/summary.ts';
import type { Vectors } from './data.ts';
import { K, type Setting } from './measure.ts';

/**
 * A scan of rows of one form without codes. `reading` looks for NaN in as many bytes, by the same threads: the memory's
 * bound; `sgemm` is that of float32 rows.
 */
export interface FormCase extends Summary {
  dtype: Dtype;
  rows: number;
  dim: number;
  batch: number;
  /** Of the numbers of all rows. */
  bytes: number;
  gigabytesPerSecond: number;
}

const DTYPES: readonly Dtype[] = ['f32', 'f16', 'bf16'];

/** The plain scan of each form, by inner products. */
export async function measureForms(
  { addon, threads, peers, folder, ...rounds }: Setting,
  { dim, rows, queries }: Vectors,
  batches: readonly number[],
): Promise<FormCase[]> {
  const n = rows.length / dim;
  const path = join(folder, 'rows.f32');
  writeFileSync(path, rows);
  const sgemm = peers.find(({ engines }) => 'sgemm' in engines);
  await sgemm?.load(path, n, dim, 'ip');
  const results: FormCase[] = [];
  for (const dtype of DTYPES) {
    const resident = await directRows(addon, rows, { dim, metric: 'ip', threads, certified: false, dtype });
    const bytes = rows.byteLength / (dtype === 'f32' ? 1 : 2);
    const alike = rows.subarray(0, bytes / 4);
    for (const batch of batches) {
      const some = queries.slice(0, batch * dim);
      const [ids, scores] = [new Uint32Array(batch * K), new Float32Array(batch * K)];
      const engines: Record<string, () => Promise<Sample>> = {
        scan: () => sample(() => addon.search(resident, some, batch, K, n, undefined, n, ids, scores)[1]),
        reading: () => sample(() => addon.findNotFinite(resident, alike)),
      };
      if (sgemm !== undefined && sgemm.engines.sgemm!.batches.includes(batch)) {
        const asked = join(folder, 'queries.f32');
        writeFileSync(asked, some);
        engines.sgemm = () => sgemm.search('sgemm', asked, batch, K);
      }
      const found = summary('scan', await interleaved(engines, rounds));
      const gigabytesPerSecond = rounded(bytes / found.median.scan!.ms / 1e6);
      results.push({ dtype, rows: n, dim, batch, bytes, gigabytesPerSecond, ...found });
    }
    addon.disposeRows(resident);
  }
  return results;
}
