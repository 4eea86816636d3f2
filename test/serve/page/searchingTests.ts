import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Json } from '../harness.ts';
import { bodiesTo, focused, holdBack, queryBox, titles, until } from './browser.ts';
import { JOBS } from './jobs.ts';
import { servedPage } from './servedPage.ts';

/** Typing, and answers as they come. */
export function searchingTests(browser: Browser): void {
  const served = servedPage(browser);

  test('before anything is asked it says what can be, with examples from the index that work', async () => {
    const { page } = served;
    await page.goto(served.server.url);
    await page.getByRole('heading', { name: 'Search 24 documents by what they mean' }).waitFor();
    const examples = page.locator('#welcome li button');
    expect(await examples.count()).toBe(5);
    const example = (await examples.first().textContent())!;
    expect(JOBS.some(({ text }) => text.startsWith(example))).toBe(true);
    await examples.first().click();
    await page.locator('.hit').first().waitFor();
    expect(await queryBox(page).inputValue()).toBe(example);
  });

  test('hits come as one types, with passages, scores, times and a heading', async () => {
    const { page } = served;
    await page.goto(served.server.url);
    const asked = bodiesTo(page, '/search');
    await queryBox(page).pressSequentially('court', { delay: 15 });
    await until(async () => (await titles(page))[0]?.startsWith('Court bailiff') ?? false);
    expect(new URL(page.url()).hash).toBe('#q=court');
    await queryBox(page).pressSequentially(' bailiff', { delay: 15 });
    await until(() => page.url().endsWith('bailiff') && page.locator('#spinner').isHidden());
    const queries = asked.map(({ query }) => query).filter((query) => query !== '');
    await until(async () => (await page.locator('#hits.waiting').count()) === 0);
    expect(queries.at(-1)).toBe('court bailiff');
    expect(queries).toContain('court');
    const hit = page.locator('.hit').first();
    expect((await hit.locator('mark').allTextContents()).join(' ').toLowerCase()).toContain('court');
    expect(await hit.locator('svg').getAttribute('aria-label')).toMatch(
      /^Scores: dense 0\.\d+, BM25 [\d.]+, fused 0\.0\d+, ranker −?[\d.]+, score −?[\d.]+$/,
    );
    await page.locator('#status').getByText('of 10–50').waitFor(); // which comes with what is known of the index
    expect(await page.locator('#status').textContent()).toMatch(
      /^Best 10 in .* ms · 24 ranked( \(\d+ from the cache\))? · depth \d+ of 10–50 · cpu · workload interactive · generation \d+$/,
    );
    expect(await page.locator('.times dt').allTextContents()).toEqual([
      'wait',
      'understand',
      'retrieve',
      'rank',
      'respond',
    ]);
    expect(new URL(page.url()).hash).toBe('#q=court+bailiff');
    expect(await page.title()).toContain('court bailiff');
  });

  test('an answer that has been overtaken never appears', async () => {
    const { page } = served;
    await page.goto(served.server.url);
    const release = await holdBack(page, '/search', ({ query }) => query === 'pastry cook');
    const seen: string[] = [];
    await page.exposeFunction('saw', (title: string) => seen.push(title));
    await page.evaluate(`new MutationObserver(() => {
      const first = document.querySelector('#hits .title');
      if (first) saw(first.textContent);
    }).observe(document.querySelector('#hits'), { childList: true })`);
    const aborted: string[] = [];
    page.on('requestfailed', (request) => aborted.push(request.postData() ?? ''));
    const asked = page.waitForRequest((request) => request.postData()?.includes('pastry cook') ?? false);
    await queryBox(page).fill('pastry cook');
    await asked;
    await queryBox(page).fill('forklift driver');
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
    await release();
    await queryBox(page).fill('court bailiff');
    await until(async () => (await titles(page))[0]?.startsWith('Court') ?? false);
    expect(seen.every((title) => /^(?:Forklift|Court)/.test(title))).toBe(true);
    expect(aborted.some((body) => body.includes('pastry cook'))).toBe(true);
  });

  test('the spinner comes only when an answer takes longer than 150 ms', async () => {
    const { page } = served;
    await page.clock.install();
    await page.goto(served.server.url);
    await page.locator('#welcome li').first().waitFor();
    const release = await holdBack(page, '/search', ({ query }) => query === 'nurse');
    const asked = page.waitForRequest('**/search');
    await page.clock.pauseAt(Date.now() + 60_000);
    await queryBox(page).fill('nurse');
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

  test('where nothing is found it says so, and offers to remove the filters', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=zxqv&retrieve=bm25`);
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    expect(await page.locator('#status').textContent()).toMatch(/^0 hits/);
    const filter = JSON.stringify({ eq: ['city', 'Geneva'] });
    await page.goto(`${served.server.url}/#q=nurse&filter=${encodeURIComponent(filter)}`);
    await page.getByRole('button', { name: 'Remove the filters' }).click();
    await until(async () => (await titles(page)).length === 10);
    expect(await page.locator('#welcome').isVisible()).toBe(false);
  });

  test('the bar of times gives every stage its share of what the server measured', async () => {
    const { page } = served;
    const answered = page.waitForResponse(
      (response) => (response.request().postDataJSON() as Json)?.query === 'night nurse',
    );
    await page.goto(`${served.server.url}/#q=night+nurse`);
    const { timings } = (await (await answered).json()) as Json;
    await page.locator('.times').waitFor();
    const stages = ['wait', 'understand', 'retrieve', 'rank', 'respond'];
    const whole = stages.reduce((sum, stage) => sum + timings[stage], 0);
    const bar = (await page.locator('.times .bar').boundingBox())!;
    const parts = page.locator('.times .bar rect');
    expect(await parts.count()).toBe(5);
    let at = bar.x;
    for (const [i, stage] of stages.entries()) {
      const { x, width } = (await parts.nth(i).boundingBox())!;
      expect(width / bar.width).toBeCloseTo(timings[stage] / whole, 2);
      expect(Math.abs(x - at)).toBeLessThan(1);
      at += width;
    }
    const told = await page.locator('.times dd').allTextContents();
    expect(told.map((figure) => Number.parseFloat(figure))).toEqual(
      stages.map((stage) => expect.closeTo(timings[stage], timings[stage] >= 100 ? -1 : 1)),
    );
    expect(told.every((figure) => figure.endsWith(' ms'))).toBe(true);
  });

  test('screen readers are told how much was found, and no more', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=nurse`);
    await page.locator('.hit').first().waitFor();
    expect(await page.locator('[role="status"]').allTextContents()).toContain('10 hits');
    expect(await page.locator('#summary [role="status"]').count()).toBe(0);
    await page.locator('#retrieve').selectOption('bm25');
    await queryBox(page).fill('zxqv');
    await until(async () => (await page.locator('#said').textContent()) === 'Nothing found');
  });

  test('a timestamp is shown as day and time, and the query is cleared by touch', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=pastry+cook`);
    const times = page.locator('.hit', { hasText: 'Pastry cook 3' }).locator('time');
    expect(await times.textContent()).toBe('2024-03-15 05:30');
    expect(await times.getAttribute('datetime')).toMatch(/^2024-03-15T05:30:00(\.000)?Z$/);
    expect(await page.locator('.hit', { hasText: 'Pastry cook 2' }).locator('time').textContent()).toBe(
      '2024-02-15',
    );
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.locator('#welcome li').first().waitFor();
    expect(await queryBox(page).inputValue()).toBe('');
    expect(await focused(page)).toBe('query');
    expect(await page.getByRole('button', { name: 'Clear the search' }).isVisible()).toBe(false);
  });
}
