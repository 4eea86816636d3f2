import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJobs } from '../../scripts/jobs.mjs';
import { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { SeineError } from '../../ts/core/errors.ts';
import { random } from '../../ts/core/random.ts';
import type { Document, Run } from '../../ts/core/types.ts';
import { compare } from '../../ts/offline/evaluate/compare.ts';
import { type Evaluation, evaluate } from '../../ts/offline/evaluate/evaluate.ts';
import { readQrels } from '../../ts/offline/evaluate/readQrels.ts';
import { readQueries } from '../../ts/offline/evaluate/readQueries.ts';
import { open } from '../../ts/open.ts';
import { type Bench, saturate } from './bench.ts';
import { jsonRequest } from './corpus.ts';
import { type LoadFigures, loadFigures, rounded } from './figures.ts';
import { type LoadOutcome, load, type Traffic } from './load.ts';

const JOBS = '../shared/data/jobs';
const METRIC = 'ndcg_exp@10';
const TARGET_MS = 750;
const [LEAST, GREATEST] = [5, 50];
/** Of what the server serves at the greatest depth: the load of calm, and the burst as a multiple of it. */
const CALM_LOAD = 0.42;
const BURST = 3;
const CALM_SECONDS = 30;
const BURST_SECONDS = 60;
const AFTER_SECONDS = 40;
/** The controller's window: what came before has left it by then. */
const SETTLE_SECONDS = 15;

const POLICIES = {
  controlled: { least: LEAST, greatest: GREATEST, targetMs: TARGET_MS },
  least: { least: LEAST, greatest: LEAST, targetMs: TARGET_MS },
  greatest: { least: GREATEST, greatest: GREATEST, targetMs: TARGET_MS },
};
type Policy = keyof typeof POLICIES;

export interface BurstPolicy {
  calm: LoadFigures;
  /** From the beginning of the burst. */
  burst: LoadFigures;
  /** The burst without its first seconds, in which the depth comes down. */
  settled: LoadFigures;
  after: LoadFigures;
  /** Share of all searches that were answered later than the set point, or not at all. */
  missed: number;
  /** Mean over the queries that all policies answered. */
  ndcg: number;
  /** Mean ranking depth, by blocks of five seconds. */
  depths: { second: number; ranked: number; p99: number }[];
}

export interface BurstResult {
  method: string;
  targetMs: number;
  calmRate: number;
  policies: Record<Policy, BurstPolicy>;
  /** NDCG under the controller less that at the least depth, over queries: all along, and asked in the burst. */
  gain: { all: Gain; burst: Gain };
}

interface Gain {
  mean: number;
  low: number;
  high: number;
  queries: number;
}

/** Job searches through a burst of three times the load: ranking depth under control, and fixed at either end. */
export async function burst(bench: Bench): Promise<BurstResult> {
  if (!existsSync(`${JOBS}/corpus.jsonl`)) {
    throw new SeineError(
      'ERR_NOT_FOUND',
      `The burst needs the graded job queries in ${JOBS}, which is not there: leave this part out.`,
    );
  }
  const index = await jobsIndex();
  const queries = random(3).shuffle([...(await readQueries(`${JOBS}/queries.dev.jsonl`))]);
  const requests = queries.map(([, query]) => jsonRequest('/search', { query }));
  const start = (policy: Policy): Promise<ServerProcess> =>
    ServerProcess.start({
      index,
      scoreCache: { bytes: 0 },
      workloads: { interactive: { depth: POLICIES[policy] } },
    });

  const probe = await start('greatest');
  const most = await saturate({ ...bench, corpus: { ...bench.corpus, searches: requests } }, probe, 10);
  await probe.stop();
  const calmRate = rounded(most * CALM_LOAD);
  bench.say(`${most}/s at depth ${GREATEST}; calm at ${calmRate}/s`);

  const outcomes = {} as Record<Policy, LoadOutcome[]>;
  for (const policy of Object.keys(POLICIES) as Policy[]) {
    const server = await start(policy);
    try {
      outcomes[policy] = await replay(bench, { url: server.url, requests }, calmRate);
    } finally {
      await server.stop();
    }
    const { p99, ranked, shed, late } = loadFigures(outcomes[policy], 1);
    bench.say(`${policy}: P99 ${p99} ms, ${ranked} ranked, ${Math.round((shed + late) * 100)} % refused`);
  }
  return judge(bench, outcomes, { ids: queries.map(([id]) => id), calmRate });
}

/** The same searches, in the same places, at the same times, for every policy. */
async function replay({ scale }: Bench, traffic: Traffic, calmRate: number): Promise<LoadOutcome[]> {
  const all = (CALM_SECONDS + BURST_SECONDS + AFTER_SECONDS) * scale;
  const options = { arrivals: 'poisson', keepHits: true } as const;
  // What is added lies behind what is asked all along.
  const first = Math.ceil(calmRate * all * 1.2);
  const [steady, added] = await Promise.all([
    load(traffic, calmRate, all, { ...options, first: 0 }),
    sleep(CALM_SECONDS * scale * 1000).then(() =>
      load(traffic, calmRate * (BURST - 1), BURST_SECONDS * scale, { ...options, first }),
    ),
  ]);
  const shift = CALM_SECONDS * scale * 1000;
  return [...steady, ...added.map((outcome) => ({ ...outcome, due: outcome.due + shift }))];
}

interface Asked {
  /** Of the queries, in the order of the requests. */
  ids: string[];
  calmRate: number;
}

async function judge(
  { scale }: Bench,
  outcomes: Record<Policy, LoadOutcome[]>,
  { ids, calmRate }: Asked,
): Promise<BurstResult> {
  const qrels = await readQrels(`${JOBS}/qrels/dev.tsv`);
  const [from, to] = [CALM_SECONDS * scale, (CALM_SECONDS + BURST_SECONDS) * scale];
  const end = to + AFTER_SECONDS * scale;
  const settle = SETTLE_SECONDS * scale;
  const names = Object.keys(POLICIES) as Policy[];
  const quality = (chosen: (outcome: LoadOutcome) => boolean): Record<Policy, Evaluation> => {
    const runs = names.map((policy) => runOf(outcomes[policy].filter(chosen), ids));
    const common = [...runs[0]!.keys()].filter((id) => qrels.has(id) && runs.every((run) => run.has(id)));
    const judged = new Map(common.map((id) => [id, qrels.get(id)!]));
    return Object.fromEntries(
      names.map((policy, i) => [
        policy,
        evaluate(new Map(common.map((id) => [id, runs[i]!.get(id)!])), judged, METRIC),
      ]),
    ) as Record<Policy, Evaluation>;
  };
  const all = quality(() => true);
  const inBurst = quality(({ due }) => due >= from * 1000 && due < to * 1000);

  const policies = Object.fromEntries(
    names.map((policy): [Policy, BurstPolicy] => {
      const between = (low: number, high: number): LoadFigures =>
        loadFigures(
          outcomes[policy].filter(({ due }) => due >= low * 1000 && due < high * 1000),
          high - low,
        );
      const late = outcomes[policy].filter(({ status, latency }) => status !== 200 || latency > TARGET_MS);
      return [
        policy,
        {
          calm: between(0, from),
          burst: between(from, to),
          settled: between(from + settle, to),
          after: between(to + settle, end),
          missed: rounded(late.length / outcomes[policy].length),
          ndcg: rounded(all[policy].mean[METRIC]!),
          depths: Array.from({ length: Math.floor(end / 5) }, (_, block) => {
            const { ranked, p99 } = between(block * 5, block * 5 + 5);
            return { second: block * 5, ranked, p99 };
          }),
        },
      ];
    }),
  ) as Record<Policy, BurstPolicy>;
  return {
    method:
      `Job postings of the shared data and its graded queries (dev split), no score cache; Poisson arrivals, open ` +
      `loop, the same for every policy: ${CALM_SECONDS} s calm, ${BURST_SECONDS} s of ${BURST} times as much, ` +
      `${AFTER_SECONDS} s calm${scale === 1 ? '' : ` (all times ${scale})`}. Depth ${LEAST} to ${GREATEST} under the ` +
      `controller with a set point of ${TARGET_MS} ms, and fixed at either end. "Settled" leaves out the burst's ` +
      `first ${SETTLE_SECONDS} s. NDCG@10 over the queries that all three answered.`,
    targetMs: TARGET_MS,
    calmRate,
    policies,
    gain: { all: gainOf(all), burst: gainOf(inBurst) },
  };
}

function gainOf({ controlled, least }: Record<Policy, Evaluation>): Gain {
  const { mean, interval } = compare(controlled, least).differences[METRIC]!;
  const { low, high } = interval;
  return { mean: rounded(mean), low: rounded(low), high: rounded(high), queries: controlled.queries.size };
}

/** The answers of a policy as a run; of a query that was asked twice the first. */
function runOf(outcomes: LoadOutcome[], ids: string[]): Run {
  const run: Run = new Map();
  for (const { request, hits } of outcomes.toSorted((a, b) => a.due - b.due)) {
    const id = ids[request]!;
    if (hits === undefined || run.has(id)) continue;
    run.set(
      id,
      hits.map((hit, i) => ({ id: hit, score: -i })),
    );
  }
  return run;
}

/** The index of all job postings, kept for the next run. */
async function jobsIndex(): Promise<string> {
  const path = '.cache/bench/jobs.seine';
  mkdirSync('.cache/bench', { recursive: true });
  const index = await open(path, { ranker: 'none', device: 'cpu' });
  try {
    const postings: Document[] = readJobs();
    for (let i = 0; i < postings.length; i += 1000) await index.upsert(postings.slice(i, i + 1000));
  } finally {
    await index.close();
  }
  return path;
}
