import type { Device, Metric, Rows, TopK } from '../../../dist/browser/webgpu.js';
import { scan } from '../../../ts/device/reference/scan.ts';
import { QUERIES_PER_PASS } from '../../../ts/device/webgpuPipelines.ts';
import { madeUpRows, numbers } from './madeUpRows.ts';

export interface Settings {
  rows: number;
  dim: number;
  metric: Metric;
  /** How long each batch size is timed. */
  seconds: number;
}

export interface BatchTime {
  queries: number;
  searches: number;
  medianMs: number;
  /** Rows scored for queries. */
  rowsPerSecond: number;
  bytesPerSecond: number;
}

export interface Measured {
  batches: BatchTime[];
  /** Results of the sample, and those of them whose id and score are the reference's. */
  sampled: number;
  equal: number;
}

const K = 10;
const BATCHES = [1, 8, 64];
const SAMPLE = 4;
const LEAST_SEARCHES = 3;

/** Uploads made-up rows, compares a sample of queries with the reference, then takes the times. */
export async function measure(
  device: Device,
  settings: Settings,
  say: (progress: string) => void,
): Promise<Measured> {
  const { rows: count, dim, metric } = settings;
  async function* chunks() {
    for (const { first, values } of madeUpRows(count, dim)) {
      say(`Uploading: ${Math.round((100 * first) / count)} %`);
      yield values;
    }
  }
  const rows = await device.upload(chunks(), { dim, metric, dtype: 'f32' });
  try {
    const queries = numbers(Math.max(...BATCHES) * dim, 0);
    say('Comparing a sample with the reference …');
    const sample = queries.subarray(0, SAMPLE * dim);
    const equal = await compare(await rows.search(sample, { k: K }), sample, settings);
    const batches: BatchTime[] = [];
    for (const batch of BATCHES) {
      say(`Timing ${batch} ${batch === 1 ? 'query' : 'queries'} at once …`);
      batches.push(await time(rows, queries.subarray(0, batch * dim), settings));
    }
    return { batches, sampled: SAMPLE * K, equal };
  } finally {
    await rows.dispose();
  }
}

/** How many results are those of the reference: float64 scores of every row, in plain TypeScript. */
async function compare(top: TopK, queries: Float32Array, settings: Settings): Promise<number> {
  const { rows: count, dim, metric } = settings;
  const best: { id: number; score: number }[][] = Array.from({ length: SAMPLE }, () => []);
  const asked = { dtype: 'f32' as const, values: queries };
  for (const { first, values } of madeUpRows(count, dim)) {
    const passing = values.length / dim;
    const k = Math.min(K, passing);
    const task = {
      queries: asked,
      q: SAMPLE,
      weights: undefined,
      k,
      count,
      passing,
      allowed: undefined,
      rows: undefined,
      signal: undefined,
    };
    const chunk = { first, rows: { dtype: 'f32' as const, values }, features: new Float32Array() };
    const { ids, scores } = await scan([chunk], dim, metric, task);
    best.forEach((list, query) => {
      for (let i = query * k; i < (query + 1) * k; i++) list.push({ id: ids[i]!, score: scores[i]! });
    });
  }
  const sign = metric === 'l2' ? 1 : -1;
  return best
    .flatMap((list) => list.sort((a, b) => sign * (a.score - b.score) || a.id - b.id).slice(0, K))
    .filter(({ id, score }, i) => top.ids[i] === id && top.scores[i] === score).length;
}

async function time(rows: Rows, queries: Float32Array, settings: Settings): Promise<BatchTime> {
  const { rows: count, dim, seconds } = settings;
  const batch = queries.length / dim;
  await rows.search(queries, { k: K }); // makes the buffers that the timed ones use again
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < LEAST_SEARCHES || performance.now() < end) {
    const start = performance.now();
    await rows.search(queries, { k: K });
    times.push(performance.now() - start);
  }
  const medianMs = times.sort((a, b) => a - b)[times.length >> 1]!;
  const perSecond = 1000 / medianMs;
  return {
    queries: batch,
    searches: times.length,
    medianMs,
    rowsPerSecond: count * batch * perSecond,
    bytesPerSecond: count * dim * 4 * Math.ceil(batch / QUERIES_PER_PASS) * perSecond,
  };
}
