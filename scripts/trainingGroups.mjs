// Data for "seine train" from relevance grades, with the top of a run as negatives, to standard output:
// node scripts/trainingGroups.mjs --corpus c.jsonl --queries q.jsonl --qrels q.tsv [--run r.trec] [--most 8]
// At most so many documents of each grade, and as many of the run that nobody judged: they get grade 0.
import { parseArgs } from 'node:util';
import { readLines } from '../dist/core/readLines.js';
import { readQrels } from '../dist/offline/evaluate/readQrels.js';
import { readQueries } from '../dist/offline/evaluate/readQueries.js';
import { readRun } from '../dist/offline/evaluate/readRun.js';

const { values } = parseArgs({
  options: {
    corpus: { type: 'string' },
    queries: { type: 'string' },
    qrels: { type: 'string' },
    run: { type: 'string' },
    most: { type: 'string', default: '8' },
  },
});
const most = Number(values.most);
const texts = new Map();
for await (const { text } of readLines(values.corpus)) {
  const { _id, title = '', text: body } = JSON.parse(text);
  texts.set(_id, `${title}\n${body}`.trim());
}
const qrels = await readQrels(values.qrels);
const run = values.run === undefined ? new Map() : await readRun(values.run);
for (const [id, query] of await readQueries(values.queries)) {
  const judged = [...(qrels.get(id) ?? [])].filter(([document]) => texts.has(document));
  const counts = new Map();
  const chosen = judged.filter(([, grade]) => {
    const count = (counts.get(grade) ?? 0) + 1;
    counts.set(grade, count);
    return count <= most;
  });
  const known = new Set(judged.map(([document]) => document));
  const found = (run.get(id) ?? []).map(({ id: document }) => document);
  const negatives = found.filter((document) => !known.has(document) && texts.has(document)).slice(0, most);
  if (!chosen.some(([, grade]) => grade > 0)) continue;
  const documents = [...chosen.map(([document]) => document), ...negatives];
  const line = {
    query,
    documents: documents.map((document) => texts.get(document)),
    grades: [...chosen.map(([, grade]) => Math.max(0, grade)), ...negatives.map(() => 0)],
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
