import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { startServer, type TestServer } from '../harness.ts';
import { openPage, titles, until, type WatchedPage } from './browser.ts';
import { JOBS, post } from './jobs.ts';

/** Holds searches for some queries back until they are let go, with the server's own answer. */
async function holdBack(page: Page, queries: string[]): Promise<() => Promise<void>> {
  const held: Route[] = [];
  await page.route('**/search', async (route) => {
    const { query } = route.request().postDataJSON() as { query: string };
    if (queries.includes(query)) held.push(route);
    else await route.continue();
  });
  return async () => {
    await Promise.allSettled(held.map((route) => route.continue()));
  };
}

/** Typing, filters, paging, the address, before and after ranking. */
export function searchingTests(browser: Browser): void {
  let server: TestServer;
  let watched: WatchedPage;
  let page: Page;
  beforeAll(async () => {
    server = await startServer();
    await post(server.url, JOBS);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    watched = await openPage(browser);
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  const box = () => page.locator('#query');
  const facet = (name: string, value: string) =>
    page.locator('details.facet', { has: page.locator('summary', { hasText: name }) }).locator('label', {
      has: page.locator('.value', { hasText: new RegExp(`^${value}$`) }),
    });

  test('before anything is asked it says what can be, with examples from the index that work', async () => {
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Search 24 documents by what they mean' }).waitFor();
    const examples = page.locator('#welcome li button');
    expect(await examples.count()).toBe(5);
    const example = (await examples.first().textContent())!;
    expect(JOBS.some(({ text }) => text.startsWith(example))).toBe(true);
    await examples.first().click();
    await page.locator('.hit').first().waitFor();
    expect(await box().inputValue()).toBe(example);
  });

  test('hits come as one types, with passages, scores, times and a heading', async () => {
    await page.goto(server.url);
    await box().pressSequentially('court bailiff', { delay: 15 });
    await until(async () => (await titles(page))[0]?.startsWith('Court bailiff') ?? false);
    const hit = page.locator('.hit').first();
    expect((await hit.locator('mark').allTextContents()).join(' ').toLowerCase()).toContain('court');
    expect(await hit.locator('svg').getAttribute('aria-label')).toMatch(
      /^Scores: dense 0\.\d+, BM25 [\d.]+, fused 0\.0\d+, ranker −?[\d.]+$/,
    );
    expect(await page.locator('#status').textContent()).toMatch(
      /^10 hits in .* ms · 24 ranked( \(24 from the cache\))? · depth 50 · cpu · workload interactive · generation \d+$/,
    );
    expect(await page.locator('.times dt').allTextContents()).toEqual([
      'wait',
      'understand',
      'retrieve',
      'rank',
      'respond',
    ]);
    expect(await page.locator('.times .bar rect').count()).toBe(5);
    expect(new URL(page.url()).search).toBe('?q=court+bailiff');
    expect(await page.title()).toContain('court bailiff');
  });

  test('an answer that has been overtaken never appears', async () => {
    await page.goto(server.url);
    const release = await holdBack(page, ['pastry cook']);
    const seen: string[] = [];
    await page.exposeFunction('saw', (title: string) => seen.push(title));
    await page.evaluate(`new MutationObserver(() => {
      const first = document.querySelector('#hits .title');
      if (first) saw(first.textContent);
    }).observe(document.querySelector('#hits'), { childList: true })`);
    const aborted: string[] = [];
    page.on('requestfailed', (request) => aborted.push(request.postData() ?? ''));
    const asked = page.waitForRequest((request) => request.postData()?.includes('pastry cook') ?? false);
    await box().fill('pastry cook');
    await asked;
    await box().fill('forklift driver');
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
    await release();
    await box().fill('court bailiff');
    await until(async () => (await titles(page))[0]?.startsWith('Court') ?? false);
    expect(seen.every((title) => /^(?:Forklift|Court)/.test(title))).toBe(true);
    expect(aborted.some((body) => body.includes('pastry cook'))).toBe(true);
  });

  test('the spinner comes only when an answer takes longer than 150 ms', async () => {
    await page.clock.install();
    await page.goto(server.url);
    await page.locator('#welcome li').first().waitFor();
    const release = await holdBack(page, ['nurse']);
    const asked = page.waitForRequest('**/search');
    await page.clock.pauseAt(Date.now() + 60_000);
    await box().fill('nurse');
    await page.clock.runFor(60);
    await asked;
    await page.clock.runFor(149);
    expect(await page.locator('#spinner').isVisible()).toBe(false);
    await page.clock.runFor(2);
    expect(await page.locator('#spinner').isVisible()).toBe(true);
    await release();
    await page.locator('.hit').first().waitFor();
    expect(await page.locator('#spinner').isVisible()).toBe(false);
  });

  test('filters narrow the hits, and counts say what each value would bring', async () => {
    await page.goto(`${server.url}/?q=nurse`);
    await facet('city', 'Bern').waitFor();
    expect(await facet('city', 'Bern').locator('.count').textContent()).toBe('12');
    expect(await facet('skills', 'health').locator('.count').textContent()).toBe('8');
    expect(await facet('remote', 'yes').locator('.count').textContent()).toBe('4');
    await facet('skills', 'health').locator('input').check();
    await until(async () => (await titles(page)).length === 8);
    expect((await titles(page)).every((title) => title.includes('nurse'))).toBe(true);
    await until(async () => (await facet('city', 'Bern').locator('.count').textContent()) === '4');
    // The counts of the attribute itself stay: they say what choosing another value as well would bring.
    expect(await facet('skills', 'law').locator('.count').textContent()).toBe('4');
    await facet('city', 'Basel').locator('input').check();
    await until(async () => (await titles(page)).length === 2);
    const filter = { and: [{ eq: ['skills', 'health'] }, { eq: ['city', 'Basel'] }] };
    expect(JSON.parse(new URL(page.url()).searchParams.get('filter')!)).toEqual(filter);
    expect(await page.locator('.chip').allTextContents()).toEqual(['skills: health×', 'city: Basel×']);
    await page.getByRole('button', { name: 'Remove filter skills: health' }).click();
    await until(async () => (await titles(page)).length === 6);
  });

  test('ranges of numbers and days include both ends', async () => {
    await page.goto(`${server.url}/?q=work`);
    await page.getByLabel('pay, min').fill('71');
    await page.getByLabel('pay, max').fill('80');
    await page.getByLabel('pay, max').press('Enter');
    await until(async () => (await titles(page)).length === 4);
    await page.getByLabel('posted, min').fill('2024-02-15');
    await page.getByLabel('posted, max').fill('2024-03-15');
    await page.getByLabel('posted, max').press('Tab');
    await until(async () => (await titles(page)).length === 2);
    expect(await page.locator('.chip').allTextContents()).toEqual([
      'pay: 71 to 80×',
      'posted: 2024-02-15 to 2024-03-15×',
    ]);
  });

  test('the address brings everything back, and so does the back button', async () => {
    const filter = JSON.stringify({ eq: ['city', 'Basel'] });
    await page.goto(`${server.url}/?q=driver&filter=${encodeURIComponent(filter)}&retrieve=bm25`);
    await until(async () => (await titles(page)).length === 1);
    expect(await page.locator('#retrieve').inputValue()).toBe('bm25');
    expect(await facet('city', 'Basel').locator('input').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Remove filter city: Basel' }).click();
    await until(async () => (await titles(page)).length === 4);
    await box().pressSequentially('s of pallets', { delay: 5 });
    await until(() => page.url().includes('pallets'));
    await page.goBack();
    await until(async () => (await box().inputValue()) === 'driver' && (await titles(page)).length === 4);
    await page.goBack();
    await until(async () => (await titles(page)).length === 1);
    expect(await facet('city', 'Basel').locator('input').isChecked()).toBe(true);
  });

  test('more hits follow, each once, until there are none', async () => {
    await page.goto(`${server.url}/?q=nurse&retrieve=dense`);
    await page.locator('#more').click();
    await until(async () => (await titles(page)).length === 20);
    await page.locator('#more').click();
    await until(async () => (await titles(page)).length === 24);
    expect(new Set(await titles(page)).size).toBe(24);
    expect(await page.locator('#more').isVisible()).toBe(false);
    expect(await page.locator('.hit .rank').allTextContents()).toEqual(JOBS.map((_, i) => String(i + 1)));
  });

  test('where nothing is found it says so, and offers to remove the filters', async () => {
    await page.goto(`${server.url}/?q=zxqv&retrieve=bm25`);
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    expect(await page.locator('#status').textContent()).toMatch(/^0 hits/);
    const filter = JSON.stringify({ eq: ['city', 'Geneva'] });
    await page.goto(`${server.url}/?q=nurse&filter=${encodeURIComponent(filter)}`);
    await page.getByRole('button', { name: 'Remove the filters' }).click();
    await until(async () => (await titles(page)).length === 10);
    expect(await page.locator('#welcome').isVisible()).toBe(false);
  });

  test('before and after ranking stand side by side, every move with its figure', async () => {
    await page.goto(`${server.url}/?q=look+after+children`);
    await page.getByRole('button', { name: 'Before and after ranking' }).click();
    const columns = page.locator('.comparison section');
    await columns.first().waitFor();
    const [before, after] = await Promise.all(
      [0, 1].map((i) => columns.nth(i).locator('.name').allTextContents()),
    );
    expect([before!.length, after!.length]).toEqual([10, 10]);
    expect(after).toEqual(await titles(page));
    const badges = await columns.nth(1).locator('.badge').allTextContents();
    for (const [i, badge] of badges.entries()) {
      const was = before!.indexOf(after![i]!);
      if (was < 0) continue;
      expect(badge).toBe(was === i ? '=' : was > i ? `+${was - i}` : `−${i - was}`);
    }
    expect(await page.locator('.comparison path').count()).toBeGreaterThanOrEqual(10);
    expect(page.url()).toContain('compare=1');
  });
}
