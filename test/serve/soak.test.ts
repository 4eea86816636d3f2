import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { open } from '../../ts/open.ts';
import { ServerProcess } from '../helpers/serverProcess.mjs';
import { freshFolder } from './faults/folder.ts';
import { PATIENT } from './faults/patient.ts';
import { ask, type Json } from './harness.ts';
import { drawSearch, SoakClient } from './soak/client.ts';
import { trend } from './soak/trend.ts';

/** 36,000 are an hour of ten a second. */
const OPERATIONS = Number(process.env.SEINE_SOAK ?? 2000);
const CLIENTS = 3;
const IDS = 80;
const SAMPLES = 16;
/** Of the samples, those in which code is compiled and caches fill. */
const WARM_UP = 6;
const QUERIES = 60;
/** Operations after which the resident memory too has come to rest, as the allocator keeps what threads have freed. */
const AT_REST = 10_000;

const folder = freshFolder();

/** What an answer says of the documents, without what it says of itself. */
const essence = ({ hits, facets }: Json): Json => ({ hits, facets });

/** The same but for the last digits of scores: vectors of a text differ in theirs by what it is embedded with. */
const alike = ({ hits, facets }: Json): Json => ({
  hits: hits.map((hit: Json) => ({
    ...hit,
    score: expect.closeTo(hit.score, 4),
    scores: Object.fromEntries(
      Object.entries<number>(hit.scores).map(([stage, score]) => [stage, expect.closeTo(score, 4)]),
    ),
  })),
  facets,
});

test(
  `${OPERATIONS} operations: flat memory, answers equal to those of an index rebuilt from the documents`,
  async () => {
    const path = folder.path('soak.seine');
    const settings = { scoreCache: { bytes: 1 << 20 }, workloads: PATIENT };
    const server = await ServerProcess.start({ index: path, ...settings });
    const clients = Array.from(
      { length: CLIENTS },
      (_, i) => new SoakClient(server.url, `c${i}`, IDS, i + 1),
    );
    for (const client of clients) await client.begin();
    const memory = { heap: [] as number[], outside: [] as number[], rss: [] as number[] };
    for (let sample = 0; sample < SAMPLES; sample++) {
      const each = Math.ceil(OPERATIONS / SAMPLES / CLIENTS);
      await Promise.all(
        clients.map(async (client) => {
          for (let i = 0; i < each; i++) await client.step();
        }),
      );
      const { heapUsed, external, rss } = await server.memory();
      memory.heap.push(heapUsed);
      memory.outside.push(external);
      memory.rss.push(rss);
    }
    if (process.env.SEINE_SOAK !== undefined) console.info(memory);
    for (const [kind, series] of Object.entries(memory)) {
      if (kind === 'rss' && OPERATIONS < AT_REST) continue;
      const { z, slope } = trend(series.slice(WARM_UP));
      // A trend that chance does not explain (p < 0.001) and that would double the memory within 10 such runs.
      const grows = z > 3.1 && slope * SAMPLES * 10 > series[WARM_UP]!;
      expect({ kind, grows, series: grows ? series : [] }).toEqual({ kind, grows: false, series: [] });
    }

    const expected = clients.flatMap(({ documents }) => [...documents.keys()]).sort();
    const source = random(99);
    const searches = Array.from({ length: QUERIES }, () => drawSearch(source));
    const answers = [];
    for (const search of searches) answers.push(essence((await ask(`${server.url}/search`, search)).body));
    expect(await server.stop()).toEqual({ code: 0, signal: null });

    const rebuilt = folder.path('rebuilt.seine');
    {
      await using old = await open(path, { ranker: 'none', device: 'cpu' });
      await using fresh = await open(rebuilt, { ranker: 'none', device: 'cpu' });
      const documents = [];
      for await (const document of old.documents()) documents.push(document);
      expect(documents.map(({ id }) => id).sort()).toEqual(expected);
      await fresh.upsert(documents);
    }
    const again = await ServerProcess.start({ index: rebuilt, ...settings });
    for (const [i, search] of searches.entries()) {
      const { status, body } = await ask(`${again.url}/search`, search);
      expect({ status, search, ...essence(body) }).toEqual({ status: 200, search, ...alike(answers[i]!) });
    }
    await again.stop();
  },
  120_000 + OPERATIONS * 100,
);
