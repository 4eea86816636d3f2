// Runs as a process of its own: sends requests at a stated rate, whatever becomes of them (an open loop), and times
// each from the moment at which it was due. One job comes on standard input as JSON, one result leaves as JSON.
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { random } from '../../ts/core/random.ts';
import type { LoadJob, LoadOutcome } from './load.ts';

const job = JSON.parse(await text(process.stdin)) as LoadJob;
const { next } = random(job.seed);
const agent = new Agent({ keepAlive: true, maxSockets: job.connections, maxFreeSockets: job.connections });
const outcomes: LoadOutcome[] = [];
const open: Promise<void>[] = [];

/** Sends one request that was due at `due` (milliseconds since the start). */
function send(due: number, late: number, at: number): Promise<void> {
  const place = at % job.requests.length;
  const { method, path, body, headers } = job.requests[place]!;
  return new Promise((resolve) => {
    const finish = (status: number, retryAfter: boolean, answer = ''): void => {
      const latency = performance.now() - began - due;
      const ranked = /"ranked":(\d+)/.exec(answer)?.[1];
      outcomes.push({
        request: place,
        due,
        late,
        latency,
        status,
        retryAfter,
        ...(ranked !== undefined && { ranked: Number(ranked) }),
        ...(job.keepHits && status === 200 && { hits: idsOf(answer) }),
      });
      resolve();
    };
    const sent = request(
      job.url + path,
      {
        method,
        agent,
        timeout: job.timeoutMs,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', () => finish(0, false));
        response.once('end', () => {
          const retryAfter = Number(response.headers['retry-after']) >= 1;
          finish(response.statusCode ?? 0, retryAfter, Buffer.concat(chunks).toString());
        });
      },
    );
    sent.once('timeout', () => sent.destroy(new Error('timeout')));
    sent.once('error', () => finish(0, false));
    sent.end(body);
  });
}

function idsOf(answer: string): string[] {
  const { hits } = JSON.parse(answer) as { hits: { id: string }[] };
  return hits.map(({ id }) => id);
}

const began = performance.now();
let due = 0;
let at = job.firstRequest;
while (due < job.seconds * 1000) {
  const now = performance.now() - began;
  if (now < due) {
    await new Promise((resolve) => setTimeout(resolve, due - now));
    continue;
  }
  open.push(send(due, now - due, at++));
  due += (1000 / job.rate) * (job.arrivals === 'poisson' ? -Math.log(1 - next()) : 1);
}
await Promise.all(open);
agent.destroy();
process.stdout.write(JSON.stringify(outcomes));
