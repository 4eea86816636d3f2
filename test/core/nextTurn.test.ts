import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

test.each([
  ['with setImmediate', ''],
  ['without it, as in browsers', 'delete globalThis.setImmediate;'],
])('nextTurn lets a timer have its turn, %s', (_, before) => {
  const script = `
    ${before}
    const { nextTurn } = await import('./dist/core/nextTurn.js');
    let done = false;
    setTimeout(() => { done = true; }, 1);
    let order = [];
    await Promise.all([1, 2, 3].map((i) => nextTurn().then(() => order.push(i))));
    for (let turns = 0; !done && turns < 1e7; turns++) await nextTurn();
    console.log(done, ...order);
    process.exit();`;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    encoding: 'utf8',
  });
  expect(output).toBe('true 1 2 3\n');
});
