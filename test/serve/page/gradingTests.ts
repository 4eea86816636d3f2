import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { readQrels } from '../../../ts/offline/evaluate/readQrels.ts';
import { startServer, type TestServer } from '../harness.ts';
import { openPage, until, type WatchedPage } from './browser.ts';
import { JOBS, post } from './jobs.ts';

const COMMAND = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Grades, and a whole search by keys alone. */
export function gradingTests(browser: Browser): void {
  let server: TestServer;
  let watched: WatchedPage;
  let page: Page;
  beforeAll(async () => {
    server = await startServer();
    await post(server.url, JOBS);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    watched = await openPage(browser, { acceptDownloads: true });
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  const pressed = (hit: number) =>
    page.locator('.hit').nth(hit).locator('.grade [aria-pressed="true"]').allTextContents();
  const download = async (name: string): Promise<string> => {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name }).click();
    const file = await coming;
    const path = join(server.folder, file.suggestedFilename());
    await file.saveAs(path);
    return path;
  };

  test('grades are kept, and what is downloaded is what "seine run" and "seine evaluate" read', async () => {
    await page.goto(`${server.url}/#q=night+nurse`);
    await page.locator('.hit').first().getByRole('button', { name: 'Grade 3: exactly right' }).click();
    await page.locator('.hit').nth(1).getByRole('button', { name: 'Grade 1: related' }).click();
    await page.locator('#query').fill('drive a forklift');
    await until(async () => (await page.locator('.title').first().textContent())!.startsWith('Forklift'));
    await page.locator('.hit').first().getByRole('button', { name: 'Grade 2: relevant' }).click();
    await page.getByText('3 grades for 2 queries').waitFor();
    await page.goto('about:blank');
    await page.goto(`${server.url}/#q=night+nurse`);
    await page.locator('.hit').nth(1).waitFor();
    expect([await pressed(0), await pressed(1), await pressed(2)]).toEqual([['3'], ['1'], []]);

    const qrels = await download('Download relevance');
    const queries = await download('Download queries');
    const read = await readQrels(qrels);
    expect([...read.keys()]).toEqual(['q1', 'q2']);
    expect([...read.get('q1')!.values()]).toEqual([3, 1]);
    expect([...read.get('q2')!.keys()][0]).toMatch(/^job-\d-3$/);

    const run = join(server.folder, 'run.trec');
    const seine = (...args: string[]) =>
      execFileSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
    seine('run', '--index', join(server.folder, 'test.seine'), '--queries', queries, '--out', run);
    const judged = JSON.parse(seine('evaluate', '--run', run, '--qrels', qrels, '--json'));
    expect(Object.keys(judged.queries)).toEqual(['q1', 'q2']);
    expect(judged.queries.q2.mrr).toBe(1);
  });

  test('grades are taken back one by one or all at once', async () => {
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(`${server.url}/#q=night+nurse`);
    const two = page.locator('.hit').first().getByRole('button', { name: 'Grade 2: relevant' });
    await two.click();
    expect(await pressed(0)).toEqual(['2']);
    await two.click();
    expect(await pressed(0)).toEqual([]);
    await page.getByText('Grade hits from 0 to 3').waitFor();
    await two.click();
    await page.getByRole('button', { name: 'Clear grades' }).click();
    await until(async () => (await pressed(0)).length === 0);
  });

  test('keys alone search, move, open, grade and close', async () => {
    await page.goto(server.url);
    await page.locator('#welcome li').first().waitFor();
    await page.locator('h1 a').focus();
    const key = (name: string) => page.keyboard.press(name);
    const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent');
    await key('/');
    expect(await focused()).toBe('query');
    await page.keyboard.type('pastry/2?j'); // keys that write are left alone in the box
    expect(await page.locator('#query').inputValue()).toBe('pastry/2?j');
    await page.locator('#query').fill('pastry cook');
    await until(async () => (await page.locator('.title').first().textContent())!.startsWith('Pastry'));
    const all = await page.locator('.title').allTextContents();
    await key('ArrowDown');
    expect(await focused()).toBe(all[0]);
    await key('j');
    await key('ArrowDown');
    expect(await focused()).toBe(all[2]);
    await key('k');
    expect(await focused()).toBe(all[1]);
    await key('3');
    expect(await pressed(1)).toEqual(['3']);
    await key('0');
    expect(await pressed(1)).toEqual(['0']);
    await key('Enter');
    const details = page.locator('.hit').nth(1).locator('.details');
    await details.getByText('Bake cakes and bread before dawn.').waitFor();
    await details.getByText(/^rank \d+ of 24, cosine 0\.\d+$/).waitFor();
    expect(await details.locator('dt').allTextContents()).toEqual([
      'dense',
      'BM25',
      'fused',
      'retrieved',
      'ranker',
    ]);
    await key('Escape');
    expect(await details.isVisible()).toBe(false);
    await key('?');
    expect(await page.locator('#help').isVisible()).toBe(true);
    await key('Escape');
    expect(await page.locator('#help').isVisible()).toBe(false);
    expect(await focused()).toBe(all[1]);
    await key('ArrowUp');
    await key('ArrowUp');
    expect(await focused()).toBe('query');
  });
}
