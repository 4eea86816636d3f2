// Makes bench/results/index.html and the tables of README.md from the files of bench/results/. Measures nothing.
// npm run bench -- report
import { readFileSync, writeFileSync } from 'node:fs';
import { escapeHtml, page } from '../ts/report/html.ts';
import type { Origin } from './measure/resultFile.ts';
import { filterSection } from './report/filterSection.ts';
import { encodeSection, rankSection } from './report/modelSections.ts';
import { appendSection, callersSection, openSection } from './report/otherSections.ts';
import { pruneSection } from './report/pruneSection.ts';
import { readmeTables, withTables } from './report/readmeTables.ts';
import { readResults } from './report/results.ts';
import { rooflineSection } from './report/rooflineSection.ts';
import { scanSection } from './report/scanSection.ts';
import { webgpuSection } from './report/webgpuSection.ts';

const results = readResults();
const { scans, filter, callers, append, open, encode, rank, roofline, prune, webgpu } = results;
const sections = [
  ...scans.map((scan) => scanSection(scan) + from(scan)),
  filter && filterSection(filter) + from(filter),
  callers && callersSection(callers) + from(callers),
  append && appendSection(append) + from(append),
  open && openSection(open) + from(open),
  encode && encodeSection(encode) + from(encode),
  rank && rankSection(rank) + from(rank),
  webgpu && webgpuSection(webgpu) + from(webgpu),
  roofline && rooflineSection(roofline) + from(roofline),
  prune && pruneSection(prune) + from(prune),
];
const title = 'Seine: measured';
const lead = `<h1>${title}</h1><p class="lead">Engines take turns; each ratio is the median of the rounds.</p>`;
writeFileSync('bench/results/index.html', page(title, lead + sections.join('\n')));
writeFileSync('README.md', withTables(readFileSync('README.md', 'utf8'), readmeTables(results)));
console.error('Wrote bench/results/index.html and the tables of README.md.');

function from({ command, commit, machine, versions, threads, loadBefore }: Origin): string {
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const text = `${command} at ${commit} on ${machine}, ${threads} threads, load before ${loadBefore}; ${libraries.join(', ')}`;
  return `<p class="hint">${escapeHtml(text)}</p>`;
}
