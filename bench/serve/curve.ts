import type { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { type Bench, DEPTH, saturate, searchTraffic, withServer } from './bench.ts';
import { knee, type LoadFigures, loadFigures, rounded } from './figures.ts';
import { type LoadJob, load } from './load.ts';

/** Of what clients get who ask again as soon as they are answered. */
const SHARES = [0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25];
const CONTROLLED_SHARES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75];
const SECONDS = 14;
/** Not counted: the queues come to rest, and the depth where it is under control. */
const SETTLE_SECONDS = 3;
const CONTROLLED_SETTLE_SECONDS = 12;
const GATE_SHARE = 0.8;
const GATE_SECONDS = 30;

export interface CurveResult {
  method: string;
  /** Searches a second served to clients that ask again at once. */
  most: number;
  /** At a fixed ranking depth, by rising rate. */
  points: LoadFigures[];
  /** Index into `points`. */
  knee: number;
  kneeRate: number;
  atGate: { rate: number; even: LoadFigures; poisson: LoadFigures; ratioEven: number; ratioPoisson: number };
  /** With default settings: the controller gives up ranking depth for throughput. */
  controlled: LoadFigures[];
}

/** Latency over throughput, from a tenth of what the server can do to more than it can. */
export async function curve(bench: Bench): Promise<CurveResult> {
  const most = await withServer(bench, DEPTH, (server) => saturate(bench, server, 10 * bench.scale));
  bench.say(`${most}/s in a closed loop at depth ${DEPTH}`);
  const points = await withServer(bench, DEPTH, (server) =>
    runs(
      bench,
      server,
      SHARES.map((share) => ({ rate: most * share, settle: SETTLE_SECONDS, seconds: SECONDS })),
    ),
  );
  const bend = knee(points.map(({ offered, median }) => [offered, median]));
  const kneeRate = points[bend]!.offered;
  bench.knee = { rate: kneeRate, from: 'the curve of this run' };
  const gate = { rate: kneeRate * GATE_SHARE, settle: SETTLE_SECONDS, seconds: GATE_SECONDS };
  const [even, poisson] = await withServer(bench, DEPTH, (server) =>
    runs(bench, server, [gate, { ...gate, arrivals: 'poisson' }]),
  );
  const controlled = await withServer(bench, 'controlled', (server) =>
    runs(
      bench,
      server,
      CONTROLLED_SHARES.map((share) => ({
        rate: most * share,
        settle: CONTROLLED_SETTLE_SECONDS,
        seconds: SECONDS,
      })),
    ),
  );
  const ratio = ({ p99, median }: LoadFigures): number => rounded(p99 / median);
  return {
    method:
      `Open loop, ranking depth ${DEPTH}: searches with queries that never repeat, due at equal distances (or, where ` +
      'it says so, in a Poisson process) whatever becomes of those before them; a latency counts from when the search ' +
      'was due, so nothing is omitted while the server is slow. Rates are shares of what a closed loop of 4 ' +
      'connections (autocannon) gets. The knee is the measured point farthest below the chord of the curve of median ' +
      'latency over offered rate, both scaled to [0, 1] (Kneedle).',
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
    controlled,
  };
}

interface Run {
  rate: number;
  settle: number;
  seconds: number;
  arrivals?: LoadJob['arrivals'];
}

/** One after the other; those in which nothing was served are left out. */
async function runs(bench: Bench, server: ServerProcess, list: Run[]): Promise<LoadFigures[]> {
  const found: LoadFigures[] = [];
  for (const one of list) found.push(await run(bench, server, one));
  return found.filter(({ served }) => served > 0);
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
