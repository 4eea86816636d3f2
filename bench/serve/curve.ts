import type { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { type Bench, saturate, searchTraffic, withServer } from './bench.ts';
import { knee, type LoadFigures, loadFigures, rounded } from './figures.ts';
import { type LoadJob, load } from './load.ts';

/** Of the highest throughput. */
const SHARES = [0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3];
const SECONDS = 14;
/** Not counted: the depth and the queues come to rest. */
const SETTLE_SECONDS = 3;
/**
 * The search for the highest throughput: from that of the closed loop up by a factor at a time, until three steps in
 * turn have refused much and served no more than those before. Meanwhile the ranking depth comes down.
 */
const RAMP = { factor: 1.4, seconds: 5, least: 0.85, gain: 1.1, patience: 3, steps: 12 };
const GATE_SHARE = 0.8;
const GATE_SETTLE_SECONDS = 15;
const GATE_SECONDS = 30;

export interface CurveResult {
  method: string;
  /** Searches a second served to clients that ask again at once. */
  closed: number;
  /** The most searches a second that were served as the rate rose. */
  most: number;
  /** By rising rate. */
  points: LoadFigures[];
  /** Index into `points`. */
  knee: number;
  kneeRate: number;
  atGate: { rate: number; even: LoadFigures; poisson: LoadFigures; ratioEven: number; ratioPoisson: number };
}

/** Latency over throughput, from a tenth of what the server can do to more than it can. */
export async function curve(bench: Bench): Promise<CurveResult> {
  const { scale } = bench;
  // A server of its own for each, as the ranking depth remembers the load of before.
  const closed = await withServer(bench, (server) => saturate(bench, server, 8 * scale));
  bench.say(`${closed}/s in a closed loop`);
  const most = await withServer(bench, (server) => highest(bench, server, closed));
  bench.say(`at most ${most}/s in an open loop`);
  const points = await withServer(bench, async (server) => {
    const found: LoadFigures[] = [];
    for (const share of SHARES) {
      found.push(await run(bench, server, { rate: most * share, settle: SETTLE_SECONDS, seconds: SECONDS }));
    }
    return found.filter(({ served }) => served > 0);
  });
  const bend = knee(points.map(({ offered, median }) => [offered, median]));
  const kneeRate = points[bend]!.offered;
  bench.knee = { rate: kneeRate, from: 'the curve of this run' };
  const gate = { rate: kneeRate * GATE_SHARE, settle: GATE_SETTLE_SECONDS, seconds: GATE_SECONDS };
  const [even, poisson] = await withServer(bench, async (server) => [
    await run(bench, server, gate),
    await run(bench, server, { ...gate, settle: SETTLE_SECONDS, arrivals: 'poisson' }),
  ]);
  const ratio = ({ p99, median }: LoadFigures): number => rounded(p99 / median);
  return {
    method:
      'Open loop: searches with queries that never repeat, due at equal distances (or, where it says so, in a ' +
      'Poisson process) whatever becomes of those before them; a latency counts from when the search was due, so ' +
      'nothing is omitted while the server is slow. Rates are shares of the highest throughput, which is looked for ' +
      'by rates that rise until less than 85 % is served and no more than before; the closed loop is autocannon ' +
      'with 4 connections. The knee is the measured point farthest below the chord of the curve of median latency ' +
      'over offered rate, both scaled to [0, 1] (Kneedle).',
    closed,
    most,
    points,
    knee: bend,
    kneeRate,
    atGate: {
      rate: rounded(gate.rate),
      even: even!,
      poisson: poisson!,
      ratioEven: ratio(even!),
      ratioPoisson: ratio(poisson!),
    },
  };
}

/** The most searches a second that were served while the rate went up. */
async function highest(bench: Bench, server: ServerProcess, from: number): Promise<number> {
  let most = 0;
  let rate = from;
  for (let step = 0, vain = 0; step < RAMP.steps && vain < RAMP.patience; step++, rate *= RAMP.factor) {
    const { served, offered } = await run(bench, server, { rate, settle: 1, seconds: RAMP.seconds });
    vain = served < RAMP.least * offered && served < RAMP.gain * most ? vain + 1 : 0;
    most = Math.max(most, served);
  }
  return most;
}

interface Run {
  rate: number;
  settle: number;
  seconds: number;
  arrivals?: LoadJob['arrivals'];
}

async function run(
  bench: Bench,
  server: ServerProcess,
  { rate, settle, seconds, arrivals = 'even' }: Run,
): Promise<LoadFigures> {
  const [skipped, counted] = [settle * bench.scale, seconds * bench.scale];
  const outcomes = await load(searchTraffic(bench, server), rate, skipped + counted, { arrivals });
  const figures = loadFigures(
    outcomes.filter(({ due }) => due >= skipped * 1000),
    counted,
  );
  const { median, p99, served, shed, late, ranked } = figures;
  bench.say(
    `${rounded(rate)}/s ${arrivals}: ${served}/s, median ${median}, P99 ${p99} ms, ` +
      `${Math.round((shed + late) * 100)} % refused, ${ranked} ranked`,
  );
  return figures;
}
