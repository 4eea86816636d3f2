import { copyFileSync } from 'node:fs';
import { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { random } from '../../ts/core/random.ts';
import { type Bench, saturate } from './bench.ts';
import { replacements } from './corpus.ts';
import { type LoadFigures, loadFigures, quantile, rounded, servedLatencies } from './figures.ts';
import { type LoadOutcome, type LoadRequest, load } from './load.ts';

/** Queries that there are, and how often they are asked: the r-th most frequent in proportion to 1 / r^EXPONENT. */
const POOL = 2000;
const EXPONENT = 1;
const DEPTH = 30;
const LOAD = 0.5;
const ROUNDS = 5;
const SECONDS = 12;
/** Documents that get another text, each second. */
const REPLACED = 5;
const CHECKED = 200;

export interface CacheResult {
  method: string;
  rate: number;
  /** Share of the documents' scores that were remembered: over all rounds, and in each. */
  hitRate: number;
  hitRates: number[];
  entries: number;
  without: LoadFigures;
  with: LoadFigures;
  /** Latency without the cache over latency with it. */
  gainMedian: number;
  gainP99: number;
  /** Documents replaced meanwhile, searches compared afterwards, and those with another answer than without a cache. */
  replaced: number;
  checked: number;
  stale: number;
}

/** Queries drawn by Zipf's law against a server with a score cache and one without, by turns. */
export async function cache(bench: Bench): Promise<CacheResult> {
  const workloads = { interactive: { depth: { least: DEPTH, greatest: DEPTH } } };
  const copy = `${bench.corpus.path}.copy`;
  copyFileSync(bench.corpus.path, copy);
  const without = await ServerProcess.start({ index: copy, workloads, scoreCache: { bytes: 0 } });
  try {
    const cached = await ServerProcess.start({ index: bench.corpus.path, workloads });
    try {
      return await measure(bench, { without, with: cached });
    } finally {
      await cached.stop();
    }
  } finally {
    await without.stop();
  }
}

type Kind = 'without' | 'with';

async function measure(bench: Bench, servers: Record<Kind, ServerProcess>): Promise<CacheResult> {
  const { corpus, scale } = bench;
  const seconds = SECONDS * scale;
  const rate = rounded((await saturate(bench, servers.without, 8 * scale)) * LOAD);
  const pool = corpus.searches.slice(0, POOL);
  const writes = replacements(corpus, REPLACED);
  const found: Record<Kind, LoadOutcome[]> = { without: [], with: [] };
  const hitRates: number[] = [];
  const start = await cacheFigures(servers.with.url);
  let before = start;
  let replaced = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const requests = zipf(pool, Math.ceil(rate * seconds) + 10, round + 1);
    for (const kind of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
      const { url } = servers[kind];
      const [outcomes] = await Promise.all([
        load({ url, requests }, rate, seconds, { first: 0 }),
        load({ url, requests: writes }, 1, seconds, { first: replaced / REPLACED }),
      ]);
      found[kind].push(...outcomes);
    }
    replaced += Math.ceil(seconds) * REPLACED;
    const now = await cacheFigures(servers.with.url);
    hitRates.push(rounded((now.hits - before.hits) / (now.asked - before.asked)));
    before = now;
    bench.say(`round ${round + 1}: ${Math.round(hitRates.at(-1)! * 100)} % of the scores were remembered`);
  }
  const [plain, cached] = [found.without, found.with].map((outcomes) =>
    loadFigures(outcomes, ROUNDS * seconds),
  );
  const stale = await countStale(pool.slice(0, CHECKED), servers);
  bench.say(
    `median ${plain!.median} ms without, ${cached!.median} with; ${stale} of ${CHECKED} answers differ`,
  );
  const gain = (share: number): number =>
    rounded(quantile(servedLatencies(found.without), share) / quantile(servedLatencies(found.with), share));
  return {
    method:
      `Searches drawn from ${POOL} queries by Zipf's law (exponent ${EXPONENT}), ranking depth ${DEPTH}, open loop at ` +
      `${LOAD} of what the server without a cache serves in a closed loop; the same searches to both servers, by ` +
      `turns in ${ROUNDS} rounds of ${seconds} s. Each second ${REPLACED} documents get another text. Afterwards ` +
      `${CHECKED} searches are asked of both: an answer is stale if ids differ, or scores by more than 1e-4.`,
    rate,
    hitRate: rounded((before.hits - start.hits) / (before.asked - start.asked)),
    hitRates,
    entries: before.entries,
    without: plain!,
    with: cached!,
    gainMedian: gain(0.5),
    gainP99: gain(0.99),
    replaced,
    checked: CHECKED,
    stale,
  };
}

/** `count` of the pool's requests; the first of the pool are the most frequent. */
function zipf(pool: LoadRequest[], count: number, seed: number): LoadRequest[] {
  const { next } = random(seed);
  let sum = 0;
  const upTo = pool.map((_, i) => {
    sum += 1 / (i + 1) ** EXPONENT;
    return sum;
  });
  return Array.from({ length: count }, () => {
    const at = next() * sum;
    return pool[upTo.findIndex((bound) => bound > at)]!;
  });
}

async function cacheFigures(url: string): Promise<{ hits: number; asked: number; entries: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: string): number =>
    [...metrics.matchAll(new RegExp(`^seine_score_cache_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  const hits = sum('hits_total') + sum('joined_total');
  return { hits, asked: sum('hits_total') + sum('misses_total'), entries: sum('entries') };
}

async function countStale(requests: LoadRequest[], servers: Record<Kind, ServerProcess>): Promise<number> {
  let stale = 0;
  for (const { path, body, headers } of requests) {
    const [plain, cached] = await Promise.all(
      [servers.without, servers.with].map(async ({ url }) => {
        const response = await fetch(url + path, { method: 'POST', body, headers });
        const { hits } = (await response.json()) as { hits: { id: string; score: number }[] };
        return hits;
      }),
    );
    const same = (i: number): boolean =>
      plain![i]!.id === cached![i]?.id && Math.abs(plain![i]!.score - cached![i]!.score) <= 1e-4;
    if (plain!.length !== cached!.length || !plain!.every((_, i) => same(i))) stale++;
  }
  return stale;
}
