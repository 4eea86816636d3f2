// Exact search in the browser: serves a page that says what the visitor's own GPU scans per second.
// node scripts/bench.mjs browser [port = 7780]
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { speedPage } from './browser/speedPage.ts';

const page = speedPage();
const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(page);
});
server.listen(Number(process.argv[2] ?? 7780), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Open http://127.0.0.1:${port}/ in a browser with WebGPU; Ctrl-C ends.`);
});
