// Ranking of job postings: a cross-encoder against sentence-transformers and transformers.js on the same weights, and a
// language model with and without what the product leaves out, in turns.
// npm run bench -- rank [--quick] [--json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrossEncoder, openCrossEncoder } from '../ts/models/crossEncoder.ts';
import { exportCheckpoint } from '../ts/models/exportCheckpoint.ts';
import { type Answered, answered, compared, perSecond } from './measure/compared.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { sample } from './measure/sample.ts';
import { middle, rounded } from './measure/summary.ts';
import { openPeers } from './peers/openPeers.ts';
import type { Peer } from './peers/peer.ts';
import { languageModel, type Ways } from './rank/languageModel.ts';
import { type Form, postings, type Work } from './rank/postings.ts';
import type { Knee, RankCase, RankResult } from './report/results.ts';

const ENCODER = '../shared/models/all-MiniLM-L6-v2';
const TOKENS = 256;

const flags = readFlags();
const rounds = { rounds: flags.quick ? 3 : 9, seconds: flags.quick ? 20 : 60 };
const FORMS = ['titles', 'postings'] as const;

type Engines = Record<string, () => Promise<Answered>>;

async function measure(model: string, form: Form, work: Work, engines: Engines): Promise<RankCase> {
  const result = await compared(engines, rounds);
  const items = work.documents.length;
  const itemsPerSecond = perSecond(result, items);
  console.error(model, form, items, itemsPerSecond, result.ratio, result.cpuRatio, result.differences);
  return { model, form, items, itemsPerSecond, ...result };
}

/** Calls with 1, 2, 4, … items. */
async function kneesOf(form: Form, ways: Ways, most: number): Promise<Knee[]> {
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

const ranking =
  (ranker: CrossEncoder, { query, documents }: Work): Engines[string] =>
  () =>
    answered(async () => (await ranker.score(query, documents)).scores);

const scoredBy =
  (peer: Peer, work: Work): Engines[string] =>
  async () =>
    (await peer.ask({ op: 'score', ...work })) as Answered;

const folder = mkdtempSync(join(tmpdir(), 'seine-rank-'));
const peers = await openPeers(['sentenceTransformers', 'transformersJs']);
const peer = peers.started.get('sentenceTransformers');
const cases: RankCase[] = [];
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
        answered(() => ways.rows(capacity));
    const engines: Engines = {
      'items in rows of 128': rows(128), // as the product does
      'items in rows of 256': rows(256),
      'items in rows of 512': rows(512),
      'a row for each item': () => answered(ways.prefix),
      'prefix with every item': () => answered(ways.whole),
    };
    cases.push(await measure('SmolLM2-135M-Instruct', form, work, engines));
    knees.push(...(await kneesOf(form, ways, work.documents.length)));
    await ways.release();
  }
} finally {
  peers.stop();
  rmSync(folder, { recursive: true });
}
const result: RankResult = {
  ...origin('rank', peers.versions),
  note:
    `One query and ${TOKENS} tokens of each document at most; ratios are how many times as long an engine took as the ` +
    'first. The scores of one model differ by rounding, and by codes where these are asked for.',
  kneesNote: 'Medians of calls with so many items, the query read anew in each.',
  cases,
  knees,
};
deliver('rank', result, flags);
