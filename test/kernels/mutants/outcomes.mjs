// The table in README.md: what found each mutant when it was last run.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mutants } from './mutants.mjs';

const path = fileURLToPath(new URL('README.md', import.meta.url));
const ROW = /^\| (\w+) \| (.+?) \| (.*?) \| (.*?) ?\|$/gm;
const OPEN = ['*open*', ''];

/** Rows of the table by `device: name`: what found the mutant (`*open*`: nothing), and by which test. */
export function outcomes() {
  const rows = readFileSync(path, 'utf8').matchAll(ROW);
  return new Map([...rows].slice(1).map(([, device, name, ...found]) => [`${device}: ${name}`, found]));
}

/** Writes what found a mutant, `[suite, test]`, or that nothing did. */
export function recordOutcome(mutant, found = OPEN) {
  const known = outcomes().set(`${mutant.device}: ${mutant.name}`, found);
  const rows = mutants.map(({ device, name }) => {
    const [suite, test] = known.get(`${device}: ${name}`) ?? OPEN;
    return `| ${device} | ${name} | ${suite} | ${test}${test === '' ? '' : ' '}|\n`;
  });
  const text = readFileSync(path, 'utf8');
  const head = text.indexOf('\n', text.indexOf('| ------ |')) + 1;
  writeFileSync(path, text.slice(0, head) + rows.join(''));
}
