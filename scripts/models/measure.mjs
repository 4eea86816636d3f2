// Measures the embedded models on jobs dev and Cranfield of ../shared/data:
//   node scripts/models/measure.mjs [queries of jobs dev = 400]
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { random } from '../../dist/core/random.js';
import { openCrossEncoder } from '../../dist/models/crossEncoder.js';
import { openTokenizer } from '../../dist/models/tokenizer.js';
import { denseCandidates, fusedCandidates } from '../../dist/offline/distill/candidates.js';
import { readGrades, readItems } from '../../dist/offline/distill/collection.js';
import {
  blendedNdcg,
  mean,
  meanWithInterval,
  ndcgOf,
  rankFinalists,
} from '../../dist/offline/distill/rankingMeasure.js';
import { staticVectors } from '../../dist/offline/distill/staticVectors.js';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const data = '../shared/data';
const limit = Number(process.argv[2] ?? 400);
const embedder = 'models/seine-embed-small';
const tokenizer = await openTokenizer(`${embedder}/tokenizer.json`, `${embedder}/tokenizer_config.json`);
const directory = 'models/seine-rank-small';
const ranker = existsSync(directory) ? await openCrossEncoder(directory) : undefined;

const jobs = {
  name: 'jobs dev',
  documents: await readItems(`${data}/jobs/corpus.jsonl`),
  queries: await readItems(`${data}/jobs/queries.dev.jsonl`),
  qrels: await readGrades(`${data}/jobs/qrels/dev.tsv`),
};
for (const collection of [jobs, await readCranfield(`${data}/cranfield`)]) await measure(collection);
await ranker?.close();

async function measure({ name, documents, queries, qrels }) {
  const texts = documents.map(({ text }) => text);
  const graph = `${embedder}/onnx/model.onnx`;
  const encode = (items) => staticVectors(graph, tokenizer, items, 254);
  const { vectors: documentVectors, dim } = await encode(texts);
  const { vectors: queryVectors } = await encode(queries.map(({ text }) => text));
  const input = { documents: texts, documentVectors, queryVectors, dim, depth: 100 };
  const dense = await denseCandidates(input);
  const ndcg = (lists) => mean(ndcgOf(lists, documents, queries, qrels));
  console.log(`${name}: ${queries.length} queries, dense NDCG@10 ${ndcg(dense).toFixed(4)}`);

  const sample = random(1).shuffle(queries.map((_, i) => i));
  const some = sample.slice(0, limit);
  const fused = await fusedCandidates({ ...input, queries: queries.map(({ text }) => text) });
  console.log(`${name}: fused NDCG@10 ${ndcg(fused).toFixed(4)}`);
  if (!ranker) return;
  const ranked = await rankFinalists(
    ranker,
    documents,
    some.map((i) => queries[i]),
    some.map((i) => fused[i]),
    qrels,
    50,
  );
  const before = blendedNdcg(ranked, 0);
  const after = blendedNdcg(ranked, ranker.blend);
  const gain = meanWithInterval(after.map((value, i) => value - before[i]));
  const figures = { fused: mean(before), blended: mean(after), ranker: mean(blendedNdcg(ranked, 1)) };
  const shown = Object.entries(figures).map(([key, value]) => `${key} ${value.toFixed(4)}`);
  console.log(
    `${name}: ${ranked.length} queries, top 50, blend ${ranker.blend}: ${shown.join(', ')}; blended - fused ` +
      `${gain.mean.toFixed(4)} [${gain.low.toFixed(4)}, ${gain.high.toFixed(4)}]`,
  );
}

/** Judgements number queries by position; code 1 is best (grade 4), -1 is none. */
async function readCranfield(folder) {
  const records = (text) =>
    text
      .replaceAll('\r\n', '\n')
      .split(/^\.I .*$/m)
      .slice(1)
      .map((record) => {
        const field = (letter) =>
          record.match(new RegExp(`^\\.${letter}\\n([^]*?)(?=^\\.[A-Z]$|$(?![^]))`, 'm'))?.[1] ?? '';
        return `${field('T')} ${field('W')}`.replace(/\s+/g, ' ').trim();
      });
  const documents = records(await readFile(`${folder}/cran.all.1400`, 'utf8'));
  const queries = records(await readFile(`${folder}/cran.qry`, 'utf8'));
  const item = (text, i) => ({ id: String(i + 1), text, metadata: {} });
  const qrels = new Map();
  for (const line of (await readFile(`${folder}/cranqrel`, 'utf8')).trim().split('\n')) {
    const [query, document, code] = line.trim().split(/\s+/);
    if (!qrels.has(query)) qrels.set(query, new Map());
    if (Number(code) > 0) qrels.get(query).set(document, 5 - Number(code));
  }
  return { name: 'Cranfield', documents: documents.map(item), queries: queries.map(item), qrels };
}
