// Measures an embedder and a ranker on the test splits of jobs, Cranfield and Chorus, in one run:
//   node scripts/models/collections.mjs cranfield chorus
//   node scripts/models/measure.mjs [--embedder seine-embed-small] [--ranker seine-rank-small] [--most 1473]
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
    ranker: { type: 'string', default: 'seine-rank-small' },
    most: { type: 'string', default: '1473' },
  },
});
const MAX_TOKENS = 256;
const encoder = await openEncoder(options.embedder, { maxTokens: MAX_TOKENS });
const ranker = options.ranker === 'none' ? undefined : await openCrossEncoder(options.ranker);

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
  const began = performance.now();
  const { vectors } = await encoder.encode(
    documents.map(({ text }) => text),
    { kind: 'document' },
  );
  const rate = (1000 * documents.length) / (performance.now() - began);
  const found = await retrieve(documents, queries, { vectors, encoder, depth: 100 });
  const runOf = (list) =>
    new Map(
      found.map((one, i) => [
        queries[i].id,
        list(one).map(({ document, score }) => ({ id: documents[document].id, score })),
      ]),
    );
  const fused = ndcg(runOf((one) => one.fused));
  say(name, `${queries.length} test queries, ${rate.toFixed(0)} documents/s by ${options.embedder}`);
  say(
    name,
    `exact search ${shown(ndcg(runOf((one) => one.dense)))}, BM25 ${shown(ndcg(runOf((one) => one.bm25)))}`,
  );
  say(name, `fused ${shown(fused)}`);
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
await encoder.close();
await ranker?.close();

function say(name, text) {
  console.log(`${name}: ${text}`);
}

/** Mean and 95 % bootstrap interval over queries. */
function shown(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [{ low, high }] = bootstrap([values]);
  return `${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}
