// Distils a model by its recipe, from ../shared, and says where it lies: node scripts/models/build.mjs rank-small
// An interrupted build goes on where it stopped. The default model is replaced by copying the directory to models/.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const [name] = process.argv.slice(2);
const recipe = `scripts/models/${name}.recipe.json`;
if (name === undefined || !existsSync(recipe))
  throw new Error(`There should be a recipe at ${recipe}: name one.`);
const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync('.cache/collections/chorus')) run('scripts/models/collections.mjs');
run('dist/cli/main.js', 'distill', recipe, '--out', `.cache/distilled/${name}`);
