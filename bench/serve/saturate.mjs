// Runs as a process of its own: autocannon in a closed loop, each connection with requests of its own, so that none
// is answered from what another one asked. One job comes on standard input as JSON, one result leaves as JSON.
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';

const { url, requests, connections, warmUp, seconds } = JSON.parse(await text(process.stdin));
const share = Math.floor(requests.length / connections / 2);
let next = 0;
const run = (duration) =>
  autocannon({
    url,
    connections,
    duration,
    timeout: 30,
    setupClient: (client) => {
      client.setRequests(requests.slice(next, next + share));
      next += share;
    },
  });
// The ranking depth comes to rest.
await run(warmUp);
const result = await run(seconds);
const { finish, start, statusCodeStats } = result;
const elapsed = (new Date(finish) - new Date(start)) / 1000;
process.stdout.write(
  JSON.stringify({ served: result['2xx'] / elapsed, median: result.latency.p50, statusCodeStats }),
);
