// What every peer that is an npm package does: reads requests, times its searches, answers.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const folder = resolve(process.argv[2]);

/** A package of the folder that the peer was installed into. */
export const load = createRequire(join(folder, 'package.json'));

/** The version of such a package. */
export const versionOf = (name) =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;

/** Cores, for engines that use them all. */
export const THREADS = availableParallelism();

/**
 * Answers the requests of `bench/peers/peer.ts` for one engine: `open(rows, count, dim, metric)` returns
 * `search(queries, q, k)`, which returns the ids `[q * k]`.
 */
export async function answerLines(name, version, engine, threads, open) {
  let search;
  let dim;
  const ops = {
    greet: () => ({ versions: { [name]: version }, threads, engines: { [name]: engine } }),
    load: async (request) => {
      dim = request.dim;
      search = await open(floats(request.path), request.rows, dim, request.metric);
      return {};
    },
    search: async ({ path, q, k }) => {
      const queries = floats(path);
      const [began, before] = [performance.now(), process.cpuUsage()];
      const ids = await search(queries, q, k);
      const ms = performance.now() - began;
      const { user, system } = process.cpuUsage(before);
      return { ms, cpuMs: (user + system) / 1000, ids: Array.from(ids, Number) };
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    console.log(JSON.stringify(await ops[request.op](request)));
  }
}

function floats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
