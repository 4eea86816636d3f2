// Rebuilds models/seine-embed-small from ../shared: node scripts/models/buildEmbedder.mjs
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildEmbedder, readEmbedderRecipe } from '../../dist/offline/distill/buildEmbedder.js';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const recipe = await readEmbedderRecipe('scripts/models/embed-small.recipe.json');
const began = performance.now();
await buildEmbedder({
  recipe,
  work: `.cache/${recipe.name}`,
  output: `models/${recipe.name}`,
  card: await readFile(`scripts/models/${recipe.name}.md`, 'utf8'),
  onMessage: (message) => console.error(`${((performance.now() - began) / 1000).toFixed(0)} s  ${message}`),
});
