import { Agent, request } from 'node:http';
import type { ServerProcess } from '../../test/helpers/serverProcess.mjs';
import { random } from '../../ts/core/random.ts';
import { type Bench, withServer } from './bench.ts';
import { jsonRequest } from './corpus.ts';
import { quantile, rounded } from './figures.ts';
import type { LoadRequest } from './load.ts';

/** An hour of this is the goal. */
const RATE = 10;
const SECONDS = 120;
const LANES = 4;
const SAMPLES = 12;

export interface SoakResult {
  method: string;
  operations: number;
  /** The traffic of how many seconds at the stated rate that is. */
  secondsOfTraffic: number;
  operationsPerSecond: number;
  statuses: Record<string, number>;
  medianMs: number;
  p99Ms: number;
  /** After a collection, MB. */
  memory: { operations: number; rss: number; heap: number; outside: number }[];
}

/** A mix of everything that clients do, as fast as it goes, with the memory at equal distances in time. */
export function soak(bench: Bench): Promise<SoakResult> {
  return withServer(bench, 'controlled', (server) => measure(bench, server));
}

async function measure(bench: Bench, server: ServerProcess): Promise<SoakResult> {
  const agent = new Agent({ keepAlive: true });
  const { below } = random(88);
  const { indexed, others, searches } = bench.corpus;
  const next = (): LoadRequest => {
    const [dice, at] = [below(100), below(indexed.length)];
    const { id, attributes } = indexed[at]!;
    if (dice < 20) return jsonRequest('/documents', { ...others[below(others.length)]!, id });
    if (dice < 25) return jsonRequest('/documents/delete', { ids: [id] });
    if (dice < 35) return { method: 'GET', path: `/documents/${id}`, body: '', headers: {} };
    const { query } = JSON.parse(searches[below(searches.length)]!.body) as { query: string };
    if (dice < 45) {
      const documents = indexed.slice(at, at + 5).map(({ title = '', text }) => ({ title, text }));
      return jsonRequest('/rank', { query, documents });
    }
    const filter = below(2) === 0 ? { filter: { eq: ['pos', attributes?.pos] } } : {};
    return jsonRequest('/search', { query, depth: 5 + below(10), facets: ['domain'], ...filter });
  };
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const memory: SoakResult['memory'] = [];
  const sample = async (): Promise<void> => {
    const { rss, heapUsed, external } = await server.memory();
    const megabytes = (bytes: number): number => rounded(bytes / 1e6);
    const now = { rss: megabytes(rss), heap: megabytes(heapUsed), outside: megabytes(external) };
    memory.push({ operations: latencies.length, ...now });
    bench.say(`${latencies.length} operations, ${now.rss} MB resident, heap ${now.heap} MB`);
  };
  try {
    const seconds = SECONDS * bench.scale;
    const [began, wanted] = [performance.now(), RATE * 3600];
    const elapsed = (): number => (performance.now() - began) / 1000;
    for (let part = 1; part <= SAMPLES; part++) {
      const lane = async (): Promise<void> => {
        while (elapsed() < (seconds * part) / SAMPLES && latencies.length < wanted) {
          const start = performance.now();
          const status = await send(server.url, next(), agent);
          latencies.push(performance.now() - start);
          statuses[status] = (statuses[status] ?? 0) + 1;
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      await sample();
    }
    return {
      method:
        `${LANES} clients that ask again at once: 55 % searches (depth 5 to 14, facets, half of them filtered), ` +
        '20 % replacements, 5 % deletions, 10 % reads, 10 % rankings of 5 documents; memory after a collection.',
      operations: latencies.length,
      secondsOfTraffic: rounded(latencies.length / RATE),
      operationsPerSecond: rounded(latencies.length / elapsed()),
      statuses,
      medianMs: rounded(quantile(latencies, 0.5)),
      p99Ms: rounded(quantile(latencies, 0.99)),
      memory,
    };
  } finally {
    agent.destroy();
  }
}

function send(url: string, { method, path, body, headers }: LoadRequest, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request(url + path, { method, agent, headers: { ...headers, ...length } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
