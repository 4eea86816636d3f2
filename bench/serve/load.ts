import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface LoadRequest {
  method: string;
  path: string;
  body: string;
  headers: Record<string, string>;
}

/** What a load client is to do. */
export interface LoadJob {
  url: string;
  /** Sent in turn, beginning with `firstRequest`. */
  requests: LoadRequest[];
  firstRequest: number;
  /** Requests a second. */
  rate: number;
  /** At equal distances, or with independent gaps of exponential length. */
  arrivals: 'even' | 'poisson';
  seconds: number;
  seed: number;
  connections: number;
  timeoutMs: number;
  /** Whether outcomes tell the ids of the hits. */
  keepHits: boolean;
}

/** One request. Times are milliseconds. */
export interface LoadOutcome {
  /** Which of the job's requests it was. */
  request: number;
  /** Since the start. */
  due: number;
  /** How much later than due it was sent: the client's own fault, within `latency`. */
  late: number;
  /** From when it was due until its answer was read. */
  latency: number;
  /** 0 if there was no answer. */
  status: number;
  /** Whether the answer said when to try again. */
  retryAfter: boolean;
  /** Documents that the ranker scored, where the answer says so. */
  ranked?: number;
  /** Ids, if the job keeps them and the answer has them. */
  hits?: string[];
}

export type Traffic = Pick<LoadJob, 'url' | 'requests'>;

export type LoadOptions = Partial<Pick<LoadJob, 'arrivals' | 'keepHits'>> & { first?: number };

let next = 0;

/**
 * Sends load from a process of its own and waits for its end; outcomes in order of their ends. Requests are not
 * repeated from one call to the next, unless it is said which one is the `first`. Not autocannon: it sends a second's requests at once, at its beginning.
 */
export async function load(
  traffic: Traffic,
  rate: number,
  seconds: number,
  { arrivals = 'even', keepHits = false, first }: LoadOptions = {},
): Promise<LoadOutcome[]> {
  const client = spawn(process.execPath, [fileURLToPath(new URL('loadClient.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const settings = { arrivals, keepHits, timeoutMs: 20_000, seed: 1, connections: 512 };
  const job: LoadJob = { ...traffic, ...settings, rate, seconds, firstRequest: first ?? next };
  // More than will be sent, so that what runs at the same time takes others.
  if (first === undefined) next += Math.ceil(rate * seconds * 1.5) + 10;
  client.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(client.stdout)) as LoadOutcome[];
}
