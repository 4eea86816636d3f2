import { type Bench, saturate, searchTraffic, startServer } from './bench.ts';
import { knee, type LoadFigures, loadFigures, rounded } from './figures.ts';
import { load } from './load.ts';

const SHARES = [0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3];
const SECONDS = 14;
/** Not counted: the depth and the queues come to rest. */
const SETTLE_SECONDS = 3;
const GATE_SHARE = 0.8;
const GATE_SECONDS = 30;

export interface CurveResult {
  method: string;
  /** Searches a second served to clients that ask again at once. */
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
  const server = await startServer(bench);
  const traffic = searchTraffic(bench, server);
  const run = async (rate: number, seconds: number, arrivals: 'even' | 'poisson' = 'even') => {
    const settle = SETTLE_SECONDS * bench.scale;
    const outcomes = await load(traffic, rate, settle + seconds, { arrivals });
    const figures = loadFigures(
      outcomes.filter(({ due }) => due >= settle * 1000),
      seconds,
    );
    const { median, p99, served, shed, late, ranked } = figures;
    const refused = `${Math.round((shed + late) * 100)} % refused`;
    bench.say(
      `${rate}/s ${arrivals}: ${served}/s, median ${median}, P99 ${p99} ms, ${refused}, ${ranked} ranked`,
    );
    return figures;
  };
  try {
    const most = await saturate(bench, server, 15 * bench.scale);
    bench.say(`at most ${most}/s in a closed loop`);
    const points: LoadFigures[] = [];
    for (const share of SHARES) points.push(await run(rounded(most * share), SECONDS * bench.scale));
    const bend = knee(points.map(({ offered, median }) => [offered, median]));
    const kneeRate = points[bend]!.offered;
    bench.knee = { rate: kneeRate, from: 'the curve of this run' };
    const rate = rounded(kneeRate * GATE_SHARE);
    const even = await run(rate, GATE_SECONDS * bench.scale);
    const poisson = await run(rate, GATE_SECONDS * bench.scale, 'poisson');
    const ratio = ({ p99, median }: LoadFigures): number => rounded(p99 / median);
    return {
      method:
        'Open loop: searches with queries that never repeat, due at equal distances (or, where it says so, in a ' +
        'Poisson process) whatever becomes of those before them; a latency counts from when the search was due, so ' +
        'nothing is omitted while the server is slow. The highest throughput is that of autocannon with 16 ' +
        'connections in a closed loop. The knee is the measured point farthest below the chord of the curve of ' +
        'median latency over offered rate, both scaled to [0, 1] (Kneedle).',
      most,
      points,
      knee: bend,
      kneeRate,
      atGate: { rate, even, poisson, ratioEven: ratio(even), ratioPoisson: ratio(poisson) },
    };
  } finally {
    await server.stop();
  }
}
