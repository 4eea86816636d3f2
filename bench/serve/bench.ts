import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import type { Corpus } from './corpus.ts';
import { rounded } from './figures.ts';
import type { Traffic } from './load.ts';

/** What the parts of the benchmark work with and leave to each other. */
export interface Bench {
  corpus: Corpus;
  /** Scales the lengths of all runs: 1 for figures, less to see that everything works. */
  scale: number;
  /** Requests a second at the bend of the curve, once it is known. */
  knee?: { rate: number; from: string };
  say(text: string): void;
}

/** Few enough that none is refused: who asks again at once when refused would take the machine for itself. */
const CONNECTIONS = 4;
/** Without a curve the knee is taken to lie here, as a share of the highest throughput. */
const KNEE_SHARE = 0.7;

/** Ranking depth where it is held fixed, so that latency shows what load does and not what the controller does. */
export const DEPTH = 20;

/** Runs `body` with a server over the corpus and default models; at a ranking depth under control, or a fixed one. */
export async function withServer<T>(
  { corpus }: Bench,
  depth: number | 'controlled',
  body: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const fixed = depth === 'controlled' ? undefined : { least: depth, greatest: depth };
  const server = await ServerProcess.start({
    index: corpus.path,
    ...(fixed && { workloads: { interactive: { depth: fixed } } }),
  });
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}

export const searchTraffic = ({ corpus }: Bench, { url }: ServerProcess): Traffic => ({
  url,
  requests: corpus.searches,
});

/** The most searches a second that were served to clients that ask again as soon as they are answered. */
export async function saturate(bench: Bench, server: ServerProcess, seconds: number): Promise<number> {
  const script = fileURLToPath(new URL('../../../bench/serve/saturate.mjs', import.meta.url));
  const client = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  // From the other end, so that the curve finds none of these queries in the score cache.
  const requests = bench.corpus.searches.toReversed().slice(0, 8000);
  const load = { url: server.url, requests, connections: CONNECTIONS };
  client.stdin.end(JSON.stringify({ ...load, warmUp: seconds / 2, seconds }));
  const { served } = JSON.parse(await text(client.stdout)) as { served: number };
  return rounded(served);
}

/** The knee of the curve that ran before, or an estimate for a part that runs alone. */
export async function kneeRate(bench: Bench): Promise<number> {
  if (bench.knee === undefined) {
    const most = await withServer(bench, DEPTH, (server) => saturate(bench, server, 10 * bench.scale));
    bench.knee = { rate: rounded(most * KNEE_SHARE), from: `${KNEE_SHARE} of ${most}/s in a closed loop` };
    bench.say(`knee taken as ${bench.knee.rate}/s (${bench.knee.from})`);
  }
  return bench.knee.rate;
}
