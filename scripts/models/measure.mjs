// Measures an embedder and a ranker on the test splits of jobs, Cranfield and Chorus, in one run; beside another embedder,
// which encodes the same documents in turns, and by heads of the vectors, if the embedder says that they are embeddings:
//   node scripts/models/collections.mjs cranfield chorus
//   node scripts/models/measure.mjs [--embedder seine-embed-small] [--against ../shared/models/all-MiniLM-L6-v2]
//     [--ranker seine-rank-small] [--most 1473]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCrossEncoder } from '../../dist/models/crossEncoder.js';
import { openEncoder } from '../../dist/models/encoder.js';
import { blended } from '../../dist/offline/distill/blend.js';
import { retrieve } from '../../dist/offline/distill/retrieve.js';
import { bootstrap } from '../../dist/offline/evaluate/bootstrap.js';
import { evaluate } from '../../dist/offline/evaluate/evaluate.js';
import { drawn, FINALISTS, finalistsOf } from './finalists.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const { values: options } = parseArgs({
  options: {
    embedder: { type: 'string', default: 'seine-embed-small' },
    against: { type: 'string' },
    ranker: { type: 'string', default: 'seine-rank-small' },
    most: { type: 'string', default: '1473' },
  },
});
const MAX_TOKENS = 256;
/** Documents that the embedders encode in turns. */
const TURN = 256;
const names = [options.embedder, ...(options.against === undefined ? [] : [options.against])];
const encoders = await Promise.all(names.map((name) => openEncoder(name, { maxTokens: MAX_TOKENS })));
const ranker = options.ranker === 'none' ? undefined : await openCrossEncoder(options.ranker);
/** Share of the other embedder's NDCG by collection. */
const shares = [];

for (const [name, folder] of [
  ['jobs', '../shared/data/jobs'],
  ['Cranfield', '.cache/collections/cranfield'],
  ['Chorus', '.cache/collections/chorus'],
]) {
  const collection = await drawn(folder, 'test', Number(options.most));
  const { documents, queries, judged } = collection;
  const ndcg = (run) => {
    const { queries: values } = evaluate(run, judged, 'ndcg_exp@10', { complete: true });
    return Float64Array.from(values.values(), (value) => value['ndcg_exp@10']);
  };
  const runOf = (found, list) =>
    new Map(
      found.map((one, i) => [
        queries[i].id,
        list(one).map(({ document, score }) => ({ id: documents[document].id, score })),
      ]),
    );
  const { vectors, seconds } = await encoded(documents);
  const rates = seconds.map((time) => documents.length / time);
  const found = await retrieve(documents, queries, { vectors: vectors[0], encoder: encoders[0], depth: 100 });
  const [dense, bm25, fused] = ['dense', 'bm25', 'fused'].map((kind) =>
    ndcg(runOf(found, (one) => one[kind])),
  );
  say(name, `${queries.length} test queries, ${rates[0].toFixed(0)} documents/s by ${names[0]}`);
  say(name, `exact search ${shown(dense)}, BM25 ${shown(bm25)}`);
  say(name, `fused ${shown(fused)}`);
  const { dim, matryoshka } = encoders[0];
  for (const length of Array.isArray(matryoshka) ? matryoshka.toReversed() : []) {
    const encoder = {
      dim: length,
      encode: async (...args) => ({
        vectors: heads((await encoders[0].encode(...args)).vectors, dim, length),
      }),
    };
    const short = { vectors: heads(vectors[0], dim, length), encoder, depth: 100 };
    const values = ndcg(runOf(await retrieve(documents, queries, short), (one) => one.dense));
    say(name, `exact search by the first ${length} of ${dim} numbers ${shown(values)}`);
  }
  if (names.length > 1) {
    const others = await retrieve(documents, queries, {
      vectors: vectors[1],
      encoder: encoders[1],
      depth: 100,
    });
    const other = ndcg(runOf(others, (one) => one.dense));
    shares.push(mean(dense) / mean(other));
    say(
      name,
      `${names[1]}: exact search ${shown(other)}, fused ${shown(ndcg(runOf(others, (one) => one.fused)))}`,
    );
    say(
      name,
      `of that ${(100 * shares.at(-1)).toFixed(1)} %, less it ${shown(dense.map((value, i) => value - other[i]))}`,
    );
    say(name, `${(rates[0] / rates[1]).toFixed(2)} times the documents per second`);
  }
  if (!ranker) continue;
  const started = performance.now();
  const finalists = await finalistsOf(name, collection, found, ranker);
  const pairs = finalists.reduce((sum, { documents: ids }) => sum + ids.length, 0);
  const items = (1000 * pairs) / (performance.now() - started);
  const [alone, both] = [1, ranker.blend ?? 1].map((blend) => ndcg(blended(finalists, blend)));
  const gain = both.map((value, i) => value - fused[i]);
  say(name, `${options.ranker}, top ${FINALISTS}, ${items.toFixed(0)} items/s: alone ${shown(alone)}`);
  say(name, `blended at ${ranker.blend ?? 1}: ${shown(both)}, less fused ${shown(gain)}`);
}
if (shares.length > 0) say('all', `${(100 * mean(shares)).toFixed(1)} % of ${names[1]} on average`);
for (const encoder of encoders) await encoder.close();
await ranker?.close();

/** Vectors of documents by each embedder, and the seconds that each took; they take turns. */
async function encoded(documents) {
  const vectors = encoders.map(({ dim }) => new Float32Array(documents.length * dim));
  const seconds = encoders.map(() => 0);
  for (let first = 0; first < documents.length; first += TURN) {
    const texts = documents.slice(first, first + TURN).map(({ text }) => text);
    for (const [i, encoder] of encoders.entries()) {
      const began = performance.now();
      vectors[i].set((await encoder.encode(texts, { kind: 'document' })).vectors, first * encoder.dim);
      seconds[i] += (performance.now() - began) / 1000;
    }
  }
  return { vectors, seconds };
}

/** The first numbers of each vector; cosines need no unit length. */
function heads(vectors, dim, length) {
  return Float32Array.from(
    { length: (vectors.length / dim) * length },
    (_, i) => vectors[Math.floor(i / length) * dim + (i % length)],
  );
}

function say(name, text) {
  console.log(`${name}: ${text}`);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean and 95 % bootstrap interval over queries. */
function shown(values) {
  const [{ low, high }] = bootstrap([values]);
  return `${mean(values).toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}
