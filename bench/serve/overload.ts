import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { type Bench, kneeRate, searchTraffic, withServer } from './bench.ts';
import { type LoadFigures, loadFigures, quantile, rounded, servedLatencies } from './figures.ts';
import { type LoadOutcome, load } from './load.ts';

const STEADY_SHARE = 0.5;
const FACTOR = 5;
const BEFORE_SECONDS = 20;
const BURST_SECONDS = 20;
const AFTER_SECONDS = 30;
const WINDOW_SECONDS = 5;
const BACK = 1.2;

export interface OverloadResult {
  method: string;
  knee: string;
  steadyRate: number;
  burstRate: number;
  before: LoadFigures;
  /** Steady and burst together. */
  during: LoadFigures;
  after: LoadFigures;
  /** From the end of the burst; missing if it did not come back. */
  recoverySeconds?: number;
  /** Second since the start, P99 of those served and share refused, of the steady traffic. */
  seconds: { second: number; p99: number; refused: number }[];
}

/** Five times what the server can do, on top of steady traffic that goes on before and after. */
export async function overload(bench: Bench): Promise<OverloadResult> {
  const rate = await kneeRate(bench);
  return withServer(bench, 'controlled', (server) => measure(bench, server, rate));
}

async function measure(bench: Bench, server: ServerProcess, rate: number): Promise<OverloadResult> {
  const { scale } = bench;
  const traffic = searchTraffic(bench, server);
  const [steadyRate, burstRate] = [rounded(rate * STEADY_SHARE), rounded(rate * (FACTOR - STEADY_SHARE))];
  const [start, end] = [BEFORE_SECONDS * scale, (BEFORE_SECONDS + BURST_SECONDS) * scale];
  const stop = end + AFTER_SECONDS * scale;
  bench.say(`${steadyRate}/s for ${stop} s, with ${burstRate}/s more for ${BURST_SECONDS * scale} s`);
  const [steady, burst] = await Promise.all([
    load(traffic, steadyRate, stop),
    sleep(start * 1000).then(() => load(traffic, burstRate, BURST_SECONDS * scale)),
  ]);
  const within = (from: number, to: number): LoadOutcome[] =>
    steady.filter(({ due }) => due >= from * 1000 && due < to * 1000);
  const before = loadFigures(within(start / 4, start), start * 0.75);
  const during = loadFigures([...within(start, end), ...burst], end - start);
  const back = Array.from({ length: (stop - end - WINDOW_SECONDS) * 4 }, (_, i) => i / 4).find((after) => {
    const window = within(end + after, end + after + WINDOW_SECONDS);
    const served = servedLatencies(window);
    return served.length === window.length && quantile(served, 0.99) <= BACK * before.p99;
  });
  const after = loadFigures(within(end + (back ?? 0), stop), stop - end - (back ?? 0));
  bench.say(
    `${Math.round((during.shed + during.late) * 100)} % refused, admitted P99 ${during.p99} ms ` +
      `(before ${before.p99}), back after ${back ?? 'more than the run'} s`,
  );
  return {
    method:
      `${STEADY_SHARE} of the knee all along and ${FACTOR} times the knee in all for ${BURST_SECONDS} s, open loop. ` +
      `Recovered: from then on for ${WINDOW_SECONDS} s every steady search is served and their P99 is at most ` +
      `${BACK} times that of before.`,
    knee: `${rate}/s: ${bench.knee?.from}`,
    steadyRate,
    burstRate,
    before,
    during,
    after,
    ...(back !== undefined && { recoverySeconds: back }),
    seconds: Array.from({ length: Math.floor(stop) }, (_, second) => {
      const { p99, shed, late } = loadFigures(within(second, second + 1), 1);
      return { second, p99, refused: rounded(shed + late) };
    }),
  };
}
