import type { NativeRows } from '../../ts/device/native.ts';
import { directRows } from '../measure/directRows.ts';
import { interleaved } from '../measure/interleaved.ts';
import { sample } from '../measure/sample.ts';
import { type Summary, summary } from '../measure/summary.ts';
import type { Vectors } from './data.ts';
import { K, type Setting } from './measure.ts';

export const MANY = 1000;

/** The certified scan for the thousand best, beside that for the ten best of the same queries. */
export interface ManyBest extends Summary {
  data: string;
  rows: number;
  dim: number;
  batch: number;
  /** Rows of a query of the thousand best that were read in full precision, and queries left to the plain scan. */
  scored: number;
  open: number;
}

export async function manyBest(
  { addon, threads, ...rounds }: Setting,
  data: string,
  { dim, rows, queries }: Vectors,
  batches: readonly number[],
): Promise<ManyBest[]> {
  const n = rows.length / dim;
  const resident: NativeRows = await directRows(addon, rows, { dim, metric: 'ip', threads, certified: true });
  const results: ManyBest[] = [];
  for (const batch of batches) {
    const some = queries.slice(0, batch * dim);
    const best = (k: number) => {
      const [ids, scores] = [new Uint32Array(batch * k), new Float32Array(batch * k)];
      return () => sample(() => addon.search(resident, some, batch, k, n, undefined, n, ids, scores)[1]);
    };
    const engines = { ten: best(K), thousand: best(MANY) };
    const samples = await interleaved(engines, rounds);
    const before = addon.scanTotals(resident);
    await engines.thousand();
    const after = addon.scanTotals(resident);
    results.push({
      data,
      rows: n,
      dim,
      batch,
      ...summary('ten', samples),
      scored: Math.round((after.scored - before.scored) / batch),
      open: after.open - before.open,
    });
  }
  addon.disposeRows(resident);
  return results;
}
