// Measures the published effects of distillation, by recipes that differ in one thing: node scripts/models/effects.mjs
//   [effect …] [--seeds 3] [--report]
// Runs what is missing of the named effects (all of them if none is), then writes docs/effects.md and
// docs/effects/<effect>.json from what is there; --report only writes. Needs scripts/models/collections.mjs jobs-sample.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeAtomic } from '../../dist/core/files.js';
import { openCheckpoint } from '../../dist/graph/checkpoint.js';
import { withLayers } from '../../dist/graph/withLayers.js';
import { writeModelDirectory } from '../../dist/models/writeModelDirectory.js';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '3' }, report: { type: 'boolean', default: false } },
});
const WORK = '.cache/effects';
/** MiniLM's first two layers, which the teachers of an effect and their students start from. */
const START = '.cache/two-layers';
/** Stages that no two runs share. */
const OWN = ['student', 'tuning', 'evaluation', 'model'];
/** Two-sided 95 % quantiles of Student's t by degrees of freedom. */
const T = [Number.NaN, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
const { base, effects } = JSON.parse(await readFile('scripts/models/effects.json', 'utf8'));
const wanted = positionals.length > 0 ? positionals : Object.keys(effects);
await mkdir(WORK, { recursive: true });
await mkdir('docs/effects', { recursive: true });
if (!options.report && !existsSync(START)) {
  await writeModelDirectory(withLayers(openCheckpoint('../shared/models/all-MiniLM-L6-v2'), [0, 1]), START);
}

for (const name of options.report ? [] : wanted) {
  const { from, variants, figures, split } = effects[name];
  const runs = [];
  // Seed by seed, so that an interrupted measurement has whole comparisons.
  for (let seed = 1; seed <= Number(options.seeds); seed++) {
    for (const [variant, patch] of Object.entries(variants)) {
      const recipe = patched(patched(base[from], patch), { seed });
      for (const part of ['relevance', 'engagement', 'student']) if (recipe[part]) recipe[part].seed = seed;
      const id = `${name}-${variant}-${seed}`;
      await writeAtomic(`${WORK}/${id}.json`, JSON.stringify(recipe, null, 1));
      await begin(id, seed);
      const args = ['dist/cli/main.js', 'distill', `${WORK}/${id}.json`, '--out', `${WORK}/${id}`];
      const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      if (status !== 0) process.exit(status ?? 1);
      const read = async (file) => JSON.parse(await readFile(`${WORK}/${id}/${file}`, 'utf8'));
      const made = { evaluation: (await read('evaluation/evaluation.json'))[0] };
      if (recipe.task === 'cross-encoder') made.tuning = await read('tuning/tuning.json');
      const values = Object.entries(figures).map(([figure, path]) => [figure, at(made, path)]);
      const seconds = (await read('student/manifest.json')).seconds;
      runs.push({ variant, seed, figures: Object.fromEntries(values), seconds });
    }
    const found = { effect: name, split, seeds: seed, runs };
    await writeAtomic(`docs/effects/${name}.json`, `${JSON.stringify(found, null, 1)}\n`);
  }
}

/**
 * Begins a run with what others have made: `seine distill` keeps those stages whose inputs and options are the same, all of
 * them if a variant of another effect is the same recipe.
 */
async function begin(id, seed) {
  if (existsSync(`${WORK}/${id}`)) return;
  const others = (await readdir(WORK, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const recipeOf = (name) => readFile(`${WORK}/${name}.json`, 'utf8');
  const recipe = await recipeOf(id);
  for (const { name } of others) {
    if (!existsSync(`${WORK}/${name}/model`) || (await recipeOf(name)) !== recipe) continue;
    return cp(`${WORK}/${name}`, `${WORK}/${id}`, { recursive: true });
  }
  const ofSeed = others.filter(({ name }) => name.endsWith(`-${seed}`));
  const found = new Map();
  for (const { name } of [...others, ...ofSeed]) {
    for (const stage of await readdir(`${WORK}/${name}`)) found.set(stage, `${WORK}/${name}/${stage}`);
  }
  for (const stage of OWN) found.delete(stage);
  for (const [stage, from] of found) await cp(from, `${WORK}/${id}/${stage}`, { recursive: true });
}

const sections = [];
for (const file of (await readdir('docs/effects')).filter((one) => one.endsWith('.json')).sort()) {
  sections.push(sectionOf(JSON.parse(await readFile(`docs/effects/${file}`, 'utf8'))));
}
const missing = Object.keys(effects).filter((name) => !existsSync(`docs/effects/${name}.json`));
await writeAtomic(
  'docs/effects.md',
  `${[
    '# Effects of distillation, measured',
    'Each effect compares recipes that differ in one thing (`scripts/models/effects.json`), seed by seed, on a sample of the ' +
      'jobs collection: 1,600 training, 150 dev and 300 test queries over 10,968 postings, grades derived from O*NET’s tables. ' +
      'Actions are drawn by the click model of [distillation.md](distillation.md). Figures are means over seeds; a ratio is ' +
      'that to the first variant, with a 95 % interval over seeds (Student’s t of the logarithms of the ratios). Data: ' +
      '[effects/](effects/). To measure: `node scripts/models/effects.mjs`.',
    ...sections,
    ...(missing.length > 0
      ? ['## Not measured yet', missing.map((name) => `- ${effects[name].title}`).join('\n')]
      : []),
  ].join('\n\n')}\n`,
);

function sectionOf({ effect, split, seeds, runs }) {
  const { title, figures, found } = effects[effect];
  const variants = [...new Set(runs.map(({ variant }) => variant))];
  const names = Object.keys(figures);
  const of = (variant, figure) =>
    runs.filter((run) => run.variant === variant).map((run) => run.figures[figure]);
  const rows = variants.map((variant, v) => {
    const cells = names.flatMap((figure) => {
      const values = of(variant, figure);
      const ratio = v === 0 ? '' : ratioText(values, of(variants[0], figure));
      return [mean(values).toFixed(4), ratio];
    });
    return `| ${[variant, ...cells].join(' | ')} |`;
  });
  const head = ['variant', ...names.flatMap((figure) => [figure, 'ratio'])];
  return [
    `## ${title}`,
    `${split}; ${seeds} seeds.`,
    [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n'),
    ...(found ? [found] : []),
  ].join('\n\n');
}

function ratioText(values, others) {
  const logs = values.map((value, i) => Math.log(value / others[i]));
  const centre = mean(logs);
  if (logs.length < 2) return Math.exp(centre).toFixed(3);
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (logs.length - 1));
  const half = (T[logs.length - 1] * deviation) / Math.sqrt(logs.length);
  const [low, high] = [Math.exp(centre - half), Math.exp(centre + half)];
  return `${Math.exp(centre).toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A recipe with some fields replaced; objects are merged, null takes a field away. */
function patched(recipe, patch) {
  const made = structuredClone(recipe);
  for (const [key, value] of Object.entries(patch)) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (value === null) delete made[key];
    else made[key] = isObject && typeof made[key] === 'object' ? patched(made[key], value) : value;
  }
  return made;
}

function at(value, path) {
  return path.split('.').reduce((part, key) => part[key], value);
}
