import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type RunningServer, serve } from '../../../ts/serve/serve.ts';
import type { GivenSettings } from '../../../ts/serve/settings/parseSettings.ts';
import { openPage, titles, until, type WatchedPage } from './browser.ts';
import { JOBS, post } from './jobs.ts';

/** Servers that are gone, busy, or want a key; refusals; an index without documents. */
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
    await page.goto(`${url}/?q=nurse`);
    await page.getByText('Too much waits.').waitFor();
    expect(await notice().textContent()).toMatch(/Trying again in [01] s\./);
    await until(async () => (await titles(page)).length === 10);
    expect(refused).toBe(1);
  });

  test('a key is asked for, sent, and kept for this tab', async () => {
    const key = 'a-key-of-16-characters';
    const url = await start({ keys: [{ name: 'reader', key }] });
    await page.goto(`${url}/?q=nurse`);
    await page.getByLabel('API key').fill('another-one-than-that');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText('The API key is not known').waitFor();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await until(async () => (await titles(page)).length === 10);
    expect(await notice().textContent()).toBe('');
    await page.reload();
    await until(async () => (await titles(page)).length === 10);
  });

  test('a filter that the server refuses is told in its words', async () => {
    const url = await start();
    const filter = JSON.stringify({ eq: ['no such attribute', 'x'] });
    await page.goto(`${url}/?q=nurse&filter=${encodeURIComponent(filter)}`);
    await until(async () => (await notice().textContent())!.includes('no such attribute'));
    await page.locator('.chip').click();
    await until(async () => (await titles(page)).length === 10);
  });
}
