import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metric } from '../../ts/core/types.ts';
import type { NativeAddon, NativeRows } from '../../ts/device/native.ts';
import { score } from '../../ts/device/reference/score.ts';
import { directRows } from '../measure/directRows.ts';
import { interleaved, type Rounds } from '../measure/interleaved.ts';
import { type Sample, sample } from '../measure/sample.ts';
import { rounded, type Summary, summary } from '../measure/summary.ts';
import type { Peer } from '../peers/peer.ts';
import type { Vectors } from './data.ts';

export const K = 10;

export interface Setting extends Rounds {
  addon: NativeAddon;
  threads: number;
  peers: readonly Peer[];
  /** For the files that peers read. */
  folder: string;
}

export interface Measured extends Summary {
  data: string;
  rows: number;
  dim: number;
  metric: Metric;
  batch: number;
  k: number;
  /** Rows that a query of the certified scan read in full precision, and what part of all their bytes that is. */
  scored: number;
  fullPrecisionShare: number;
  /** Queries that were left to the plain scan. */
  open: number;
  /** For each byte of the rows: bytes that the certified scan keeps, codes included, and memory of the process. */
  bytesShare: number;
  residentShare: number;
  /** Share of the ids that a peer finds at the same places; they order by float32 scores. */
  sameIds: Record<string, number>;
}

/** One metric on one set of vectors, all batch sizes: engines take turns, and every answer is checked. */
export async function measure(
  setting: Setting,
  name: string,
  { dim, rows, queries }: Vectors,
  metric: Metric,
  batches: readonly number[],
): Promise<Measured[]> {
  const { addon, threads, peers, folder } = setting;
  const n = rows.length / dim;
  const resident: Record<string, NativeRows> = {};
  let residentBytes = 0;
  for (const engine of ['plain', 'certified']) {
    const certified = engine === 'certified';
    const before = process.memoryUsage.rss();
    resident[engine] = await directRows(addon, rows, { dim, metric, threads, certified });
    residentBytes = process.memoryUsage.rss() - before;
  }
  const path = join(folder, 'rows.f32');
  writeFileSync(path, rows);
  const asked = peers.filter(({ engines }) =>
    Object.values(engines).some(({ metrics }) => metrics.includes(metric)),
  );
  for (const peer of asked) await peer.load(path, n, dim, metric);
  const results: Measured[] = [];
  for (const batch of batches) {
    const some = queries.slice(0, batch * dim);
    const path = join(folder, 'queries.f32');
    writeFileSync(path, some);
    const ids = { certified: new Uint32Array(batch * K), plain: new Uint32Array(batch * K) };
    const scores = { certified: new Float32Array(batch * K), plain: new Float32Array(batch * K) };
    const own = (engine: 'certified' | 'plain') => () =>
      sample(
        () =>
          addon.search(resident[engine]!, some, batch, K, n, undefined, n, ids[engine], scores[engine])[1],
      );
    const engines: Record<string, () => Promise<Sample>> = {
      certified: own('certified'),
      plain: own('plain'),
    };
    const sameIds: Record<string, number> = {};
    for (const peer of asked) {
      for (const [name, { metrics, batches: meant }] of Object.entries(peer.engines)) {
        if (!metrics.includes(metric) || !meant.includes(batch)) continue;
        engines[name] = async () => {
          const { ids: found, ...times } = await peer.search(name, path, batch, K);
          sameIds[name] = sameShare(found, ids.certified);
          return times;
        };
      }
    }
    const samples = await interleaved(engines, setting);
    for (const kind of [ids, scores]) {
      if (!Buffer.from(kind.certified.buffer).equals(Buffer.from(kind.plain.buffer))) {
        throw new Error(`The certified scan differs from the plain one: ${name}, ${metric}, batch ${batch}.`);
      }
    }
    checkFirst(metric, rows, some, dim, ids.certified);
    const before = addon.scanTotals(resident.certified!);
    await engines.certified!();
    const after = addon.scanTotals(resident.certified!);
    const scored = (after.scored - before.scored) / batch;
    results.push({
      data: name,
      rows: n,
      dim,
      metric,
      batch,
      k: K,
      ...summary('certified', samples),
      scored: Number(scored.toFixed(1)),
      fullPrecisionShare: Number((scored / n).toPrecision(3)),
      open: after.open - before.open,
      bytesShare: rounded(addon.bytes(resident.certified!) / rows.byteLength),
      residentShare: rounded(residentBytes / rows.byteLength),
      sameIds,
    });
  }
  for (const one of Object.values(resident)) addon.disposeRows(one);
  return results;
}

/** The first query's answer against the definition: every row by its canonical score. */
function checkFirst(
  metric: Metric,
  rows: Float32Array,
  queries: Float32Array,
  dim: number,
  ids: Uint32Array,
): void {
  const sign = metric === 'l2' ? 1 : -1;
  const all = Float32Array.from({ length: rows.length / dim }, (_, row) =>
    score(metric, queries, 0, rows, row * dim, dim),
  );
  const order = Uint32Array.from(all.keys()).sort((a, b) => sign * (all[a]! - all[b]!) || a - b);
  if (ids.subarray(0, K).some((id, slot) => id !== order[slot])) {
    throw new Error(`Wrong ids for ${metric}: ${ids.subarray(0, K)}, but ${order.subarray(0, K)} are right.`);
  }
}

function sameShare(found: number[], wanted: Uint32Array): number {
  return rounded(wanted.reduce((same, id, slot) => same + Number(found[slot] === id), 0) / wanted.length);
}
