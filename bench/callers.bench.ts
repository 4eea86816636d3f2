// Searches from JavaScript: the cost of a call, many callers at a time, and the event loop beside a scan without pause.
// npm run bench -- callers [--quick] [--json]
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { random } from '../ts/core/random.ts';
import type { Device, Rows } from '../ts/device/device.ts';
import { native, nativeProblem } from '../ts/device/native.ts';
import { openDevice } from '../ts/device/openDevice.ts';
import { directRows } from './measure/directRows.ts';
import { readFlags } from './measure/flags.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { middle, rounded, type Spread, spread } from './measure/summary.ts';
import type { CallersResult } from './report/results.ts';

const DIM = 384;
const K = 10;
const BATCHES = [1, 8, 16, 32, 64, 128, 256];
const CALLERS = [1, 2, 4, 8, 16, 32, 64];

const flags = readFlags();
const seconds = flags.quick ? 0.3 : 2;
const rounds = flags.quick ? 2 : 5;
const source = random(3);
const draw = (rows: number): Float32Array => {
  const values = new Float32Array(rows * DIM);
  for (let i = 0; i < values.length; i++) values[i] = source.normal();
  return values;
};

const device = await openDevice('cpu');
const result: CallersResult = {
  ...origin('callers'),
  note: `Rows of ${DIM} float32 numbers, inner product, k = ${K}; callers ask again as soon as they are answered.`,
  call: await callCost(),
  throughput: await throughput(device, flags.quick ? 50_000 : 200_000),
  eventLoop: await eventLoop(device, flags.quick ? 200_000 : 2_000_000),
};
await device.close();
deliver('callers', result, flags);
console.error(result.call, result.throughput, result.eventLoop);

/** Median microseconds of a search of 1,000 rows: through `rows.search`, and by the addon alone, in turns. */
async function callCost() {
  const addon = native();
  if (addon === undefined) throw nativeProblem();
  const [n, times] = [1000, { search: [] as number[], addon: [] as number[] }];
  const [data, query] = [draw(n), draw(1)];
  await using rows = await device.upload(data, { dim: DIM, metric: 'ip', dtype: 'f32' });
  const [ids, scores] = [new Uint32Array(K), new Float32Array(K)];
  const direct = await directRows(addon, data, { dim: DIM, metric: 'ip', threads: 1, certified: true });
  for (let i = 0; i < (flags.quick ? 2000 : 20_000); i++) {
    let began = performance.now();
    await rows.search(query, { k: K });
    times.search.push(performance.now() - began);
    began = performance.now();
    await addon.search(direct, query, 1, K, n, undefined, n, ids, scores)[1];
    times.addon.push(performance.now() - began);
  }
  addon.disposeRows(direct);
  const median = (values: number[]): number => rounded(middle(values.slice(1000)) * 1000);
  return { rows: n, microseconds: { search: median(times.search), addon: median(times.addon) } };
}

/** Queries a second by batches of one caller, and by callers with one query each. */
async function throughput(on: Device, n: number) {
  await using rows = await on.upload(draw(n), { dim: DIM, metric: 'ip', dtype: 'f32' });
  const queries = draw(256);
  const perSecond = { batches: {} as Record<number, number[]>, callers: {} as Record<number, number[]> };
  for (let round = 0; round < rounds; round++) {
    for (const batch of BATCHES) {
      const rate = await closedLoop(rows, 1, queries.subarray(0, batch * DIM));
      perSecond.batches[batch] = [...(perSecond.batches[batch] ?? []), rate];
    }
    for (const callers of CALLERS) {
      const rate = await closedLoop(rows, callers, queries.subarray(0, DIM));
      perSecond.callers[callers] = [...(perSecond.callers[callers] ?? []), rate];
    }
  }
  const spreads = (of: Record<number, number[]>): Record<string, Spread> =>
    Object.fromEntries(Object.entries(of).map(([name, rates]) => [name, spread(rates)]));
  const best = perSecond.batches[256]!.map((_, i) =>
    Math.max(...Object.values(perSecond.batches).map((all) => all[i]!)),
  );
  const sameSize = perSecond.batches[32]!;
  const many = perSecond.callers[32]!;
  return {
    rows: n,
    batches: spreads(perSecond.batches),
    callers: spreads(perSecond.callers),
    ofBestBatch: spread(many.map((rate, i) => rate / best[i]!)),
    ofBatchOf32: spread(many.map((rate, i) => rate / sameSize[i]!)),
  };
}

async function closedLoop(rows: Rows, callers: number, queries: Float32Array): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let answered = 0;
  const caller = async () => {
    while (performance.now() < end) {
      await rows.search(queries, { k: K });
      answered += queries.length / DIM;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (answered / (performance.now() - began)) * 1000;
}

/** Of timers, while rows are scanned without pause, and on an idle device. */
async function eventLoop(on: Device, n: number) {
  const chunk = draw(20_000);
  async function* chunks() {
    for (let first = 0; first < n; first += 20_000) yield chunk;
  }
  await using rows = await on.upload(chunks(), { dim: DIM, metric: 'ip', dtype: 'f32' });
  const late = async (work: () => Promise<unknown>) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const end = performance.now() + (flags.quick ? 500 : 5000);
    while (performance.now() < end) await work();
    delay.disable();
    // The histogram counts the timer's own period of 1 ms.
    const ms = (percent: number): number => rounded(Math.max(0, delay.percentile(percent) / 1e6 - 1));
    return { median: ms(50), p99: ms(99) };
  };
  const query = draw(1);
  return {
    rows: n,
    scanning: await late(() => rows.search(query, { k: K })),
    idle: await late(() => new Promise((resolve) => setTimeout(resolve, 5))),
  };
}
