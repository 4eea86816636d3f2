import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type RunningServer, serve } from '../../../ts/serve/serve.ts';
import type { GivenSettings } from '../../../ts/serve/settings/parseSettings.ts';
import { holdBack, openPage, titles, until, type WatchedPage } from './browser.ts';
import { JOBS, post } from './jobs.ts';

/** Servers that are gone or busy; refusals; an index without documents. */
export function troubleTests(browser: Browser): void {
  const folder = mkdtempSync(join(tmpdir(), 'seine-page-'));
  let running: RunningServer | undefined;
  let watched: WatchedPage;
  let page: Page;
  const start = async (settings: Partial<GivenSettings> = {}): Promise<string> => {
    const index = join(folder, 'jobs.seine');
    running = await serve({ index, port: 0, logLevel: 'silent', device: 'cpu', ...settings });
    return running.url;
  };
  const stop = async (): Promise<void> => {
    await running?.close();
    running = undefined;
  };
  beforeEach(async () => {
    watched = await openPage(browser);
    ({ page } = watched);
  });
  afterEach(async () => {
    await watched.close();
    await stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const notice = () => page.locator('#notice');

  test('an index without documents says how to add some', async () => {
    const url = await start({ index: join(folder, 'empty.seine') });
    await page.goto(url);
    await page.getByRole('heading', { name: 'The index holds no documents yet' }).waitFor();
    expect(await page.locator('#welcome pre').textContent()).toContain(`${url}/documents`);
    await post(url, JOBS);
    await page.locator('#query').fill('forklift');
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
    await page.locator('details.facet').first().waitFor(); // the controls follow what the index holds now
  });

  test('a server that is gone is asked again until it is back', async () => {
    const url = await start();
    await post(url, JOBS);
    await page.goto(url);
    await page.locator('#query').fill('nurse');
    await page.locator('.hit').first().waitFor();
    await stop();
    await page.locator('#query').fill('forklift');
    await page.getByText('The server does not answer.').waitFor();
    expect(await notice().textContent()).toMatch(/Trying again in \d+ s\./);
    expect(await titles(page)).toEqual([]); // what was found for other words does not stand there as an answer
    await start({ port: Number(new URL(url).port) });
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
    expect(await notice().textContent()).toBe('');
  });

  test('when the server wants to be left alone, it says when it asks again', async () => {
    const url = await start();
    let refused = 0;
    await page.route('**/search', async (route) => {
      const { query } = route.request().postDataJSON() as { query: string };
      if (query !== 'nurse' || refused > 0) return route.continue();
      refused++;
      const error = { code: 'ERR_OVERLOADED', message: 'Too much waits.', requestId: 'x' };
      return route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: { error } });
    });
    await page.goto(`${url}/#q=nurse`);
    await page.getByText('Too much waits.').waitFor();
    expect(await notice().textContent()).toMatch(/Trying again in [01] s\./);
    await until(async () => (await titles(page)).length === 10);
    expect(refused).toBe(1);
  });

  test('what is tried at once is not cut short by the countdown', async () => {
    const url = await start();
    await page.clock.install();
    await page.route('**/search', (route) => route.abort());
    await page.goto(`${url}/#q=nurse`);
    await page.getByText('The server does not answer.').waitFor();
    await page.unroute('**/search');
    const cut: string[] = [];
    page.on('requestfailed', (request) => cut.push(request.url()));
    const release = await holdBack(page, '/search', ({ query }) => query === 'nurse');
    const asked = page.waitForRequest((request) => request.postData()?.includes('nurse') ?? false);
    await page.getByRole('button', { name: 'Try now' }).click();
    await asked;
    await page.clock.runFor(60_000);
    await release();
    await until(async () => (await titles(page)).length === 10);
    expect(cut).toEqual([]);
  });

  test('a filter that the server refuses is told in its words', async () => {
    const url = await start();
    const filter = JSON.stringify({ eq: ['no such attribute', 'x'] });
    await page.goto(`${url}/#q=nurse&filter=${encodeURIComponent(filter)}`);
    await until(async () => (await notice().textContent())!.includes('no such attribute'));
    await page.locator('.chip').click();
    await until(async () => (await titles(page)).length === 10);
  });
}
