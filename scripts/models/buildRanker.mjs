// Rebuilds models/seine-rank-small from ../shared: node scripts/models/buildRanker.mjs
// Needs models/seine-embed-small. An interrupted build goes on where it stopped.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildRanker } from '../../dist/offline/distill/buildRanker.js';
import { readRecipe } from '../../dist/offline/distill/rankerRecipe.js';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const { recipe, identity } = await readRecipe('scripts/models/rank-small.recipe.json');
const began = performance.now();
await buildRanker({
  recipe,
  identity,
  work: `.cache/${recipe.name}`,
  output: `models/${recipe.name}`,
  card: await readFile(`scripts/models/${recipe.name}.md`, 'utf8'),
  onMessage: (message) =>
    console.error(`${((performance.now() - began) / 60_000).toFixed(1)} min  ${message}`),
});
