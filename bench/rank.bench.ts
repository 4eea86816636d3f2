// Ranking of job postings: a cross-encoder against sentence-transformers and transformers.js on the same weights, and a
// language model with and without what the product leaves out, in turns.
// npm run bench -- rank [--quick] [--json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrossEncoder, openCrossEncoder } from '../ts/models/crossEncoder.ts';
import { exportCheckpoint } from '../ts/models/exportCheckpoint.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { middle, rounded, type Summary, summary } from './measure/summary.ts';
import { openPeers } from './peers/openPeers.ts';
import type { Peer } from './peers/peer.ts';
import { languageModel, type Ways } from './rank/languageModel.ts';
import { postings, type Work } from './rank/postings.ts';

const ENCODER = '../shared/models/all-MiniLM-L6-v2';
const TOKENS = 256;

const flags = readFlags();
const rounds = { rounds: flags.quick ? 3 : 9, seconds: flags.quick ? 20 : 60 };
const FORMS = ['titles', 'postings'] as const;

interface Case extends Summary {
  model: string;
  form: string;
  items: number;
  /** By the medians. */
  itemsPerSecond: Record<string, number>;
  /** The largest difference of an engine's scores from those of the first. */
  differences: Record<string, number>;
}
/** How latency and throughput grow with the items of a call. */
interface Knee {
  model: string;
  form: string;
  way: string;
  points: { items: number; ms: number; itemsPerSecond: number }[];
}
type Engines = Record<string, () => Promise<Sample & { scores: ArrayLike<number> }>>;

async function measure(model: string, form: string, work: Work, engines: Engines): Promise<Case> {
  const [ours] = Object.keys(engines) as [string];
  const scores: Record<string, ArrayLike<number>> = {};
  const kept = Object.entries(engines).map(([name, run]) => [
    name,
    async (): Promise<Sample> => {
      const { scores: found, ...times } = await run();
      scores[name] = found;
      return times;
    },
  ]);
  const result = summary(ours, await interleaved(Object.fromEntries(kept), rounds));
  const worst = (found: ArrayLike<number>): number =>
    Math.max(...Array.from(found, (score, i) => Math.abs(score - scores[ours]![i]!)));
  const items = work.documents.length;
  const one: Case = {
    model,
    form,
    items,
    itemsPerSecond: Object.fromEntries(
      Object.entries(result.median).map(([name, { ms }]) => [name, rounded((items / ms) * 1000)]),
    ),
    differences: Object.fromEntries(
      Object.entries(scores).map(([name, found]) => [name, rounded(worst(found))]),
    ),
    ...result,
  };
  console.error(model, form, items, one.itemsPerSecond, one.ratio, one.cpuRatio, one.differences);
  return one;
}

/** Calls with 1, 2, 4, … items. */
async function kneesOf(form: string, ways: Ways, most: number): Promise<Knee[]> {
  const scored: Record<string, (count: number) => Promise<unknown>> = {
    'items in rows of 128': (count) => ways.rows(128, count),
    'a row for each item': (count) => ways.prefix(count),
    'prefix with every item': (count) => ways.whole(count),
  };
  const found = Object.keys(scored).map(
    (way): Knee => ({ model: 'SmolLM2-135M-Instruct', form, way, points: [] }),
  );
  for (let items = 1; items <= most; items *= 2) {
    const engines = Object.entries(scored).map(
      ([way, run]) => [way, () => sample(() => run(items))] as const,
    );
    const taken = await interleaved(Object.fromEntries(engines), { ...rounds, seconds: 20 });
    for (const { way, points } of found) {
      const ms = middle(taken[way]!.map((one) => one.ms));
      points.push({ items, ms: rounded(ms), itemsPerSecond: rounded((items / ms) * 1000) });
    }
    console.error(
      form,
      items,
      found.map(({ way, points }) => [way, points.at(-1)!.itemsPerSecond]),
    );
  }
  return found;
}

/** Runs an engine of this process. */
async function timed(
  score: () => Promise<ArrayLike<number>>,
): Promise<Sample & { scores: ArrayLike<number> }> {
  let scores: ArrayLike<number> = [];
  const times = await sample(async () => {
    scores = await score();
  });
  return { ...times, scores };
}

const ranking =
  (ranker: CrossEncoder, { query, documents }: Work): Engines[string] =>
  () =>
    timed(async () => (await ranker.score(query, documents)).scores);

const scoredBy =
  (peer: Peer, work: Work): Engines[string] =>
  async () =>
    (await peer.ask({ op: 'score', ...work })) as Sample & { scores: number[] };

const folder = mkdtempSync(join(tmpdir(), 'seine-rank-'));
const peers = await openPeers(['sentenceTransformers', 'transformersJs']);
const peer = peers.started.get('sentenceTransformers');
const cases: Case[] = [];
const knees: Knee[] = [];
try {
  if (peer === undefined)
    console.error('sentence-transformers is missing: SEINE_BENCH_PYTHON names a Python that has it.');
  else {
    await peer.ask({ op: 'make', source: ENCODER, folder });
    await peer.ask({ op: 'open', folder, tokens: TOKENS });
    const javascript = peers.started.get('transformersJs');
    const exported = join(folder, 'exported');
    await exportCheckpoint(folder, exported);
    await javascript?.ask({ op: 'open', folder: exported, tokens: TOKENS });
    const exact = await openCrossEncoder(folder, { maxTokens: TOKENS });
    const codes = await openCrossEncoder(folder, { maxTokens: TOKENS, precision: 'q8' });
    for (const form of FORMS) {
      const work = postings(form, flags.quick ? 32 : 200);
      const engines: Engines = {
        seine: ranking(exact, work),
        'seine q8': ranking(codes, work),
        'sentence-transformers': scoredBy(peer, work),
        ...(javascript && { 'transformers.js': scoredBy(javascript, work) }),
      };
      cases.push(await measure('MiniLM-L6 with a random head', form, work, engines));
    }
    await Promise.all([exact.close(), codes.close()]);
  }
  for (const form of FORMS) {
    const counts = flags.quick ? { titles: 24, postings: 6 } : { titles: 100, postings: 32 };
    const work = postings(form, counts[form]);
    const ways = await languageModel(work, TOKENS);
    const rows =
      (capacity: number): Engines[string] =>
      () =>
        timed(() => ways.rows(capacity));
    const engines: Engines = {
      'items in rows of 128': rows(128), // as the product does
      'items in rows of 256': rows(256),
      'items in rows of 512': rows(512),
      'a row for each item': () => timed(ways.prefix),
      'prefix with every item': () => timed(ways.whole),
    };
    cases.push(await measure('SmolLM2-135M-Instruct', form, work, engines));
    knees.push(...(await kneesOf(form, ways, work.documents.length)));
    await ways.release();
  }
} finally {
  peers.stop();
  rmSync(folder, { recursive: true });
}
const result = {
  ...origin('rank', peers.versions),
  note:
    `One query and ${TOKENS} tokens of each document at most; ratios are how many times as long an engine took as the ` +
    'first. The scores of one model differ by rounding, and by codes where these are asked for.',
  kneesNote: 'Medians of calls with so many items, the query read anew in each.',
  cases,
  knees,
};
deliver('rank', result, flags);
