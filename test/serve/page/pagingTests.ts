import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Json } from '../harness.ts';
import { holdBack, queryBox, titles, until } from './browser.ts';
import { JOBS } from './jobs.ts';
import { servedPage } from './servedPage.ts';

/** More hits. */
export function pagingTests(browser: Browser): void {
  const served = servedPage(browser);

  test('more hits follow, each once, until there are none', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=nurse&retrieve=dense`);
    await page.locator('#more').click();
    await until(async () => (await titles(page)).length === 20);
    await page.locator('#more').click();
    await until(async () => (await titles(page)).length === 24);
    expect(new Set(await titles(page)).size).toBe(24);
    expect(await page.locator('#more').isVisible()).toBe(false);
    expect(await page.locator('.hit .rank').allTextContents()).toEqual(JOBS.map((_, i) => String(i + 1)));
  });

  test('no more are promised than there are', async () => {
    const { page } = served;
    const filter = JSON.stringify({ lte: ['pay', 71] }); // exactly ten
    await page.goto(`${served.server.url}/#q=work&filter=${encodeURIComponent(filter)}`);
    await until(async () => (await titles(page)).length === 10);
    expect(await page.locator('#more').isVisible()).toBe(false);
    expect(await page.locator('#status').textContent()).toMatch(/^10 hits in/);
  });

  test('a page that has been overtaken by another search leaves the button usable', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=nurse`);
    const release = await holdBack(page, '/search', ({ offset }) => offset > 0);
    const asked = page.waitForRequest((request) => (request.postDataJSON() as Json)?.offset > 0);
    await page.locator('#more').click();
    await asked;
    await queryBox(page).fill('forklift driver');
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
    await release();
    await page.locator('#more').click();
    await until(async () => (await titles(page)).length === 20);
    expect((await titles(page)).slice(0, 4).every((title) => title.startsWith('Forklift'))).toBe(true);
  });

  test('the bars of all pages have one scale', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=night+nurse`);
    for (const length of [20, 24]) {
      await page.locator('#more').click();
      await until(async () => (await titles(page)).length === length);
    }
    const widths: number[] = await page
      .locator('.hit .decisive')
      .evaluateAll((rects: Json[]) => rects.map((rect) => Number(rect.getAttribute('width'))));
    expect(widths.length).toBe(24);
    expect(widths).toEqual([...widths].sort((a, b) => b - a)); // they are sorted by what these bars show
    expect(widths.filter((width) => width < 4).length).toBeLessThan(12);
  });
}
