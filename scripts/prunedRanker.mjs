/**
 * A ranker for jobs, the same less 37 % of the parameters of its layers, and how well both rank: trains a cross-encoder
 * from MiniLM on graded lists, prunes its neurons, lets the smaller one learn the larger one's scores, and compares them
 * on test queries that no training saw. What is there already is not made again, so an interrupted run goes on.
 *   node scripts/prunedRanker.mjs --out <dir> [--train 6000] [--steps 1500] [--test 1473] [--depth 50]
 * `--train` and `--test` are numbers of queries, `--steps` those of each of the two trainings.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCrossEncoder } from '../dist/models/crossEncoder.js';

const MAX_TOKENS = 64;
const RATE = 1.5e-4;
/** Of 10.6 million parameters in MiniLM's layers 7.1 million belong to neurons: .56 of these are 37 % of all. */
const NEURONS = 0.56;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    data: { type: 'string', default: fileURLToPath(new URL('../../shared/data/jobs', import.meta.url)) },
    model: {
      type: 'string',
      default: fileURLToPath(new URL('../../shared/models/all-MiniLM-L6-v2', import.meta.url)),
    },
    train: { type: 'string', default: '6000' },
    steps: { type: 'string', default: '1500' },
    test: { type: 'string', default: '1473' },
    depth: { type: 'string', default: '50' },
  },
});
const { data, model, steps, depth } = values;
mkdirSync(values.out, { recursive: true });
const at = (name) => resolve(values.out, name);

sampleQueries('train', Number(values.train));
sampleQueries('test', Number(values.test));
seine(
  'jobs.seine',
  'ingest',
  join(data, 'corpus.jsonl'),
  '--index',
  at('jobs.seine'),
  '--attributes',
  'none',
);
const search = (split, more) => [
  'run',
  ...['--index', at('jobs.seine'), '--queries', at(`${split}.jsonl`)],
  ...more,
];
seine('found.trec', ...search('train', ['--ranker', 'none', '--k', '12', '--out', at('found.trec')]));
makeGroups();

train('whole', model, 'groups.jsonl', [{ name: 'listwise' }], RATE);
seine(
  'thin',
  ...['prune', at('whole'), '--out', at('thin'), '--neurons', String(NEURONS)],
  ...['--calibration', join(data, 'corpus.jsonl')],
);
await scoreGroups();
const distil = [
  { name: 'listwise', to: 'scores' },
  { name: 'mse', weight: 0.1 },
];
train('distilled', at('thin'), 'scored.jsonl', distil, RATE);
for (const name of ['whole', 'thin', 'distilled']) {
  const out = ['--ranker', at(name), '--depth', depth, '--k', depth, '--out', at(`${name}.trec`)];
  seine(`${name}.trec`, ...search('test', out));
}
for (const name of ['thin', 'distilled']) {
  console.log(`${name} against whole:`);
  const runs = ['--run', at(`${name}.trec`), '--against', at('whole.trec')];
  seine(undefined, 'evaluate', ...runs, '--qrels', join(data, 'qrels/test.tsv'));
}

/** Runs a command of Seine unless what it makes is there. */
function seine(made, ...args) {
  if (made !== undefined && existsSync(at(made))) return;
  run('../dist/cli/main.js', args, 'inherit');
}

function run(script, args, stdout) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: ['ignore', stdout, 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

/** Takes queries at equal distances. */
function sampleQueries(split, count) {
  const all = readFileSync(join(data, `queries.${split}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const taken = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
  writeFileSync(at(`${split}.jsonl`), `${taken.join('\n')}\n`);
}

function makeGroups() {
  if (existsSync(at('groups.jsonl'))) return;
  const file = openSync(at('groups.part'), 'w');
  const inputs = [
    ...['--corpus', join(data, 'corpus.jsonl'), '--queries', at('train.jsonl')],
    ...['--qrels', join(data, 'qrels/train.tsv'), '--run', at('found.trec'), '--most', '3'],
  ];
  run('trainingGroups.mjs', inputs, file);
  closeSync(file);
  renameSync(at('groups.part'), at('groups.jsonl'));
}

function train(name, from, groups, losses, rate) {
  if (existsSync(at(`${name}/training.json`))) return;
  const recipe = {
    ...{ task: 'cross-encoder', model: from, data: [groups], losses, batch: 4, documents: 4 },
    ...{ steps: Number(steps), maxTokens: MAX_TOKENS, rate, checkpointSteps: 25 },
  };
  writeFileSync(at(`${name}.recipe.json`), JSON.stringify(recipe, undefined, 2));
  seine(undefined, 'train', at(`${name}.recipe.json`), '--out', at(name));
}

/** Adds the whole model's scores to the groups. */
async function scoreGroups() {
  if (existsSync(at('scored.jsonl'))) return;
  const teacher = await openCrossEncoder(at('whole'));
  const lines = [];
  for (const line of readFileSync(at('groups.jsonl'), 'utf8').trim().split('\n')) {
    const group = JSON.parse(line);
    const { scores } = await teacher.score(group.query, group.documents);
    lines.push(JSON.stringify({ ...group, scores: [...scores] }));
  }
  await teacher.close();
  writeFileSync(at('scored.part'), `${lines.join('\n')}\n`);
  renameSync(at('scored.part'), at('scored.jsonl'));
}
