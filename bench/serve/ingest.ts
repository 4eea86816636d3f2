import type { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { type Bench, DEPTH, kneeRate, searchTraffic, withServer } from './bench.ts';
import { replacements } from './corpus.ts';
import { type LoadFigures, loadFigures, quantile, rounded, servedLatencies } from './figures.ts';
import { type LoadOutcome, load, type Traffic } from './load.ts';

const SEARCH_SHARE = 0.5;
const BATCH = 25;
const BATCHES_A_SECOND = 4;
const ROUNDS = 5;
const SECONDS = 10;
const WARM_UP_SECONDS = 5;

export interface IngestResult {
  method: string;
  knee: string;
  searchRate: number;
  documentsPerSecond: number;
  without: LoadFigures;
  with: LoadFigures;
  /** P99 with ingest over P99 without it. */
  ratioP99: number;
  /** The same round by round. */
  rounds: number[];
  /** Delay of the server's event loop, milliseconds: the worst of the rounds. */
  loop: { without: { p99: number; longest: number }; with: { p99: number; longest: number } };
  writes: LoadFigures;
}

/** Searches at a steady rate, with and without documents coming in, by turns. */
export async function ingest(bench: Bench): Promise<IngestResult> {
  const rate = rounded((await kneeRate(bench)) * SEARCH_SHARE);
  return withServer(bench, DEPTH, (server) => measure(bench, server, rate));
}

async function measure(bench: Bench, server: ServerProcess, rate: number): Promise<IngestResult> {
  const searches = searchTraffic(bench, server);
  const writes: Traffic = { url: server.url, requests: replacements(bench.corpus, BATCH) };
  const seconds = SECONDS * bench.scale;
  const total = { without: [] as LoadOutcome[], with: [] as LoadOutcome[], writes: [] as LoadOutcome[] };
  const loop = { without: { p99: 0, longest: 0 }, with: { p99: 0, longest: 0 } };
  const p99 = (outcomes: LoadOutcome[]): number => loadFigures(outcomes, seconds).p99;
  await load(searches, rate, WARM_UP_SECONDS * bench.scale);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const found = { without: [] as LoadOutcome[], with: [] as LoadOutcome[] };
    for (const kind of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
      await server.loop();
      const [outcomes, written] = await Promise.all([
        load(searches, rate, seconds),
        kind === 'with' ? load(writes, BATCHES_A_SECOND, seconds) : [],
      ]);
      const delay = await server.loop();
      loop[kind].p99 = Math.max(loop[kind].p99, rounded(delay.p99));
      loop[kind].longest = Math.max(loop[kind].longest, rounded(delay.longest));
      found[kind] = outcomes;
      total[kind].push(...outcomes);
      total.writes.push(...written);
    }
    rounds.push(rounded(p99(found.with) / p99(found.without)));
    bench.say(`round ${round + 1}: P99 ${p99(found.without)} ms alone, ${p99(found.with)} ms with ingest`);
  }
  const figures = {
    without: loadFigures(total.without, ROUNDS * seconds),
    with: loadFigures(total.with, ROUNDS * seconds),
  };
  bench.say(`loop delay: ${JSON.stringify(loop)}`);
  return {
    method:
      `Searches at ranking depth ${DEPTH}, at ${SEARCH_SHARE} of the knee, in rounds of ${seconds} s, by turns without and with replacements of ` +
      `${BATCH * BATCHES_A_SECOND} documents a second in batches of ${BATCH} (NDJSON); open loop. P99 over all ` +
      `rounds of a kind. The event loop's delay is sampled every 5 ms within the server.`,
    knee: `${bench.knee?.rate}/s: ${bench.knee?.from}`,
    searchRate: rate,
    documentsPerSecond: BATCH * BATCHES_A_SECOND,
    ...figures,
    ratioP99: rounded(
      quantile(servedLatencies(total.with), 0.99) / quantile(servedLatencies(total.without), 0.99),
    ),
    rounds,
    loop,
    writes: loadFigures(total.writes, ROUNDS * seconds),
  };
}
