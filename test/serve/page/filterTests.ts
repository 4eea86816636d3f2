import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { bodiesTo, focused, titles, until, valueBox } from './browser.ts';
import { servedPage } from './servedPage.ts';

/** Filters: values, ranges, days. */
export function filterTests(browser: Browser): void {
  const served = servedPage(browser);

  test('filters narrow the hits, and counts say what each value would bring', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=nurse`);
    await valueBox(page, 'city', 'Bern').waitFor();
    expect(await valueBox(page, 'city', 'Bern').locator('.count').textContent()).toBe('12');
    expect(await valueBox(page, 'skills', 'health').locator('.count').textContent()).toBe('8');
    expect(await valueBox(page, 'remote', 'yes').locator('.count').textContent()).toBe('4');
    await valueBox(page, 'skills', 'health').locator('input').check();
    await until(async () => (await titles(page)).length === 8);
    expect((await titles(page)).every((title) => title.includes('nurse'))).toBe(true);
    await until(async () => (await valueBox(page, 'city', 'Bern').locator('.count').textContent()) === '4');
    // The counts of the attribute itself stay: they say what choosing another value as well would bring.
    expect(await valueBox(page, 'skills', 'law').locator('.count').textContent()).toBe('4');
    await valueBox(page, 'city', 'Basel').locator('input').check();
    await until(async () => (await titles(page)).length === 2);
    const filter = { and: [{ eq: ['skills', 'health'] }, { eq: ['city', 'Basel'] }] };
    expect(JSON.parse(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('filter')!)).toEqual(filter);
    expect(await page.locator('.chip').allTextContents()).toEqual(['skills: health×', 'city: Basel×']);
    await page.getByRole('button', { name: 'Remove filter skills: health' }).click();
    await until(async () => (await titles(page)).length === 6);
  });

  test('ranges of numbers and days include both ends', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=work`);
    await page.getByLabel('pay, min').fill('71');
    await page.getByLabel('pay, max').fill('80');
    await page.getByLabel('pay, max').press('Enter');
    await until(async () => (await titles(page)).length === 4);
    await page.getByLabel('posted, from, UTC').fill('2024-02-15');
    await page.getByLabel('posted, to, UTC').fill('2024-03-15');
    await page.getByLabel('posted, to, UTC').press('Tab');
    await until(async () => (await titles(page)).length === 2);
    expect(await page.locator('.chip').allTextContents()).toEqual([
      'pay: 71 to 80×',
      'posted: 2024-02-15 to 2024-03-15×',
    ]);
  });

  test('a day that is typed is searched for once, when it is whole', async () => {
    const { page } = served;
    await page.clock.install();
    await page.goto(`${served.server.url}/#q=work`);
    await page.locator('.hit').first().waitFor();
    const from = page.getByLabel('posted, from, UTC');
    await from.focus();
    const asked = bodiesTo(page, '/search');
    const filters = () => asked.filter(({ query }) => query === 'work').map(({ filter }) => filter);
    const entries = await page.evaluate('history.length');
    await page.clock.pauseAt(Date.now() + 600_000);
    await page.keyboard.type('0215202'); // so far the year 202, however long one thinks about the rest
    await page.clock.runFor(1000);
    await page.keyboard.type('4');
    expect(await from.inputValue()).toBe('2024-02-15');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    expect(await from.inputValue()).toBe('2026-02-15');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.clock.runFor(1000);
    await until(() => filters().length > 0);
    expect(filters()).toEqual([{ gte: ['posted', '2024-02-15'] }]);
    expect(await page.evaluate('history.length')).toBe(Number(entries) + 1);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter'); // no pause is waited for then
    await until(() => filters().length === 2);
    expect(filters()[1]).toEqual({ gte: ['posted', '2025-02-15'] });
  });

  test('a range that ends before it begins is told, and not searched', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=work`);
    const [min, max] = [page.getByLabel('pay, min'), page.getByLabel('pay, max')];
    await min.fill('100');
    await min.press('Enter');
    await page.getByRole('heading', { name: 'Hits' }).waitFor({ state: 'attached' });
    await until(async () => (await titles(page)).length === 4);
    await max.fill('0');
    await max.press('Enter');
    await page.getByText('its end comes before its beginning').waitFor();
    expect((await titles(page)).length).toBe(4);
    expect(await page.locator('.chip').allTextContents()).toEqual(['pay: from 100×']);
    await max.fill('101');
    await max.press('Enter');
    await until(async () => (await titles(page)).length === 2);
    expect(await page.getByText('its end comes before its beginning').count()).toBe(0);
  });

  test('on a narrow screen the button says how many filters there are, and another leads back', async () => {
    const { page } = served;
    await page.setViewportSize({ width: 360, height: 740 });
    const filter = JSON.stringify({ and: [{ eq: ['city', 'Bern'] }, { gte: ['pay', 60] }] });
    await page.goto(`${served.server.url}/#q=work&filter=${encodeURIComponent(filter)}`);
    await page.getByRole('button', { name: 'Filters (2)' }).click();
    await page.locator('#aside').waitFor();
    await page.getByRole('button', { name: 'Show hits' }).click();
    expect(await page.locator('#aside').isVisible()).toBe(false);
    expect(await focused(page)).toBe('main');
    expect(await page.locator('.hit .rank').first().isVisible()).toBe(true);
  });

  test('where the index cannot be learnt about, the filters say so and come when asked again', async () => {
    const { page } = served;
    await page.route('**/info', (route) => route.abort());
    await page.goto(`${served.server.url}/#q=work`);
    await page.locator('.hit').first().waitFor();
    await page.locator('#aside').getByText('The server has not said what to filter by.').waitFor();
    await page.unroute('**/info');
    await page.getByRole('button', { name: 'Try again' }).focus();
    await page.keyboard.press('Enter');
    await valueBox(page, 'city', 'Bern').waitFor();
    expect(await focused(page)).not.toBe('BODY');
  });
}
