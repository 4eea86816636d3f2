import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Metric } from '../../ts/core/types.ts';
import { DTYPES, METRICS, type NativeAddon, type NativeRows } from '../../ts/device/native.ts';
import { score } from '../../ts/device/reference/score.ts';
import type { Vectors } from './data.ts';
import type { Peer, Sample } from './peer.ts';

export const K = 10;

export interface Setting {
  addon: NativeAddon;
  threads: number;
  peer: Peer | undefined;
  /** For the files that the peer reads. */
  folder: string;
  rounds: number;
  /** No more rounds than two are begun after so many seconds. */
  seconds: number;
}

interface Spread {
  median: number;
  least: number;
  most: number;
}

export interface Measured {
  data: string;
  rows: number;
  dim: number;
  metric: Metric;
  batch: number;
  k: number;
  /** Every round, engine by engine; an engine that is not there has none. */
  samples: Record<string, Sample[]>;
  median: Record<string, Sample>;
  /** How many times as long the others took as the certified scan: the median, least and most of the rounds. */
  ratio: Record<string, Spread>;
  /** The same in time of the processors, which other programs on the machine disturb less. */
  cpuRatio: Record<string, Spread>;
  /** Rows that a query of the certified scan read in full precision, and what part of all their bytes that is. */
  scored: number;
  fullPrecisionShare: number;
  /** Queries that were left to the plain scan. */
  open: number;
  /** Share of the ids that FAISS finds at the same places; it orders by float32 scores. */
  faissSameIds?: number;
}

/** One metric on one set of vectors, all batch sizes: engines take turns, and every answer is checked. */
export async function measure(
  setting: Setting,
  name: string,
  { dim, rows, queries }: Vectors,
  metric: Metric,
  batches: readonly number[],
): Promise<Measured[]> {
  const { addon, threads, peer, folder } = setting;
  const n = rows.length / dim;
  const resident: Record<string, NativeRows> = {};
  for (const engine of ['certified', 'plain']) {
    resident[engine] = addon.createRows(
      addon.openCpu('', threads, engine === 'certified'),
      dim,
      METRICS.indexOf(metric),
      DTYPES.indexOf('f32'),
    );
    await addon.append(resident[engine]!, rows, new Float32Array());
  }
  if (peer !== undefined) {
    const path = join(folder, 'rows.f32');
    writeFileSync(path, rows);
    await peer.load(path, n, dim, metric);
  }
  const results: Measured[] = [];
  for (const batch of batches) {
    const some = queries.slice(0, batch * dim);
    const path = join(folder, 'queries.f32');
    writeFileSync(path, some);
    const ids = { certified: new Uint32Array(batch * K), plain: new Uint32Array(batch * K) };
    const scores = { certified: new Float32Array(batch * K), plain: new Float32Array(batch * K) };
    const own = (engine: 'certified' | 'plain') => async () => {
      const [began, before] = [performance.now(), process.cpuUsage()];
      await addon.search(resident[engine]!, some, batch, K, n, undefined, n, ids[engine], scores[engine])[1];
      const ms = performance.now() - began;
      const { user, system } = process.cpuUsage(before);
      return { ms, cpuMs: (user + system) / 1000 };
    };
    let peerIds: number[] = [];
    const other = (engine: string) => async () => {
      const answer = await peer!.search(engine, path, batch, K);
      if (engine === 'faiss') peerIds = answer.ids;
      return { ms: answer.ms, cpuMs: answer.cpuMs };
    };
    const engines: Record<string, () => Promise<Sample>> = {
      certified: own('certified'),
      plain: own('plain'),
    };
    if (peer?.versions.faiss !== undefined) engines.faiss = other('faiss');
    if (peer !== undefined && metric !== 'l2' && batch >= 64) engines.sgemm = other('sgemm');
    const samples = await takeTurns(engines, setting);
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
      samples,
      ...summary(samples),
      scored: Number(scored.toFixed(1)),
      fullPrecisionShare: Number((scored / n).toPrecision(3)),
      open: after.open - before.open,
      ...(peerIds.length > 0 && { faissSameIds: sameShare(peerIds, ids.certified) }),
    });
  }
  for (const one of Object.values(resident)) addon.disposeRows(one);
  return results;
}

/** Once each to warm up, then round by round, each round in the other direction than the one before. */
async function takeTurns(engines: Record<string, () => Promise<Sample>>, { rounds, seconds }: Setting) {
  const names = Object.keys(engines);
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  const began = performance.now();
  for (const name of names) await engines[name]!();
  for (let round = 0; round < rounds; round++) {
    if (round >= 2 && performance.now() - began > seconds * 1000) break;
    for (const name of round % 2 === 0 ? names : names.toReversed())
      samples[name]!.push(await engines[name]!());
  }
  return samples;
}

function summary(samples: Record<string, Sample[]>): Pick<Measured, 'median' | 'ratio' | 'cpuRatio'> {
  const median: Measured['median'] = {};
  const [ratio, cpuRatio]: [Measured['ratio'], Measured['cpuRatio']] = [{}, {}];
  for (const [name, taken] of Object.entries(samples)) {
    median[name] = {
      ms: round(middle(taken.map(({ ms }) => ms))),
      cpuMs: round(middle(taken.map(({ cpuMs }) => cpuMs))),
    };
    if (name === 'certified') continue;
    ratio[name] = spread(taken.map(({ ms }, i) => ms / samples.certified![i]!.ms));
    cpuRatio[name] = spread(taken.map(({ cpuMs }, i) => cpuMs / samples.certified![i]!.cpuMs));
  }
  return { median, ratio, cpuRatio };
}

function spread(ratios: number[]): Spread {
  return {
    median: round(middle(ratios)),
    least: round(Math.min(...ratios)),
    most: round(Math.max(...ratios)),
  };
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
  return round(wanted.reduce((same, id, slot) => same + Number(found[slot] === id), 0) / wanted.length);
}

function middle(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

const round = (value: number): number => Number(value.toPrecision(4));
