import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { queryBox, titles, until, valueBox } from './browser.ts';
import { servedPage } from './servedPage.ts';

/** The view in the address and in the history. */
export function addressTests(browser: Browser): void {
  const served = servedPage(browser);

  test('the address brings everything back, and so does the back button', async () => {
    const { page } = served;
    const filter = JSON.stringify({ eq: ['city', 'Basel'] });
    await page.goto(`${served.server.url}/#q=driver&filter=${encodeURIComponent(filter)}&retrieve=bm25`);
    await until(async () => (await titles(page)).length === 1);
    expect(await page.locator('#retrieve').inputValue()).toBe('bm25');
    expect(await valueBox(page, 'city', 'Basel').locator('input').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Remove filter city: Basel' }).click();
    await until(async () => (await titles(page)).length === 4);
    await queryBox(page).pressSequentially('s of pallets', { delay: 5 });
    await until(() => page.url().includes('pallets'));
    await page.goBack();
    await until(
      async () => (await queryBox(page).inputValue()) === 'driver' && (await titles(page)).length === 4,
    );
    await page.goBack();
    await until(async () => (await titles(page)).length === 1);
    expect(await valueBox(page, 'city', 'Basel').locator('input').isChecked()).toBe(true);
  });

  test('a query as long as the box takes comes back from the address', async () => {
    const { page } = served;
    await page.goto(served.server.url);
    const long = 'nurse '.repeat(4000).slice(0, 20_000);
    await queryBox(page).fill(long);
    await page.locator('.hit').first().waitFor();
    await page.reload();
    await until(async () => (await titles(page)).length === 10);
    expect(await queryBox(page).inputValue()).toBe(long);
  });

  test('what is typed without a rest is one entry of the history, and no server is sent it in an address', async () => {
    const { page } = served;
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.goto(served.server.url);
    await page.locator('#welcome li').first().waitFor();
    const entries = await page.evaluate('history.length');
    await page.clock.install();
    await queryBox(page).pressSequentially('pastry cook', { delay: 5 });
    await until(() => page.url().endsWith('#q=pastry+cook'));
    expect(await page.evaluate('history.length')).toBe(Number(entries) + 1);
    await page.reload();
    await page.locator('.hit').first().waitFor();
    expect(
      addresses.filter((url) => new URL(url).search !== '' || /pastry/.test(url.split('#')[0]!)),
    ).toEqual([]);
  });

  test('a browser that takes no more changes of its address searches all the same', async () => {
    const { page } = served;
    await page.goto(served.server.url);
    await page.evaluate(
      "history.pushState = history.replaceState = () => { throw new DOMException('too many', 'SecurityError'); }",
    );
    await queryBox(page).fill('forklift driver');
    await until(async () => (await titles(page))[0]?.startsWith('Forklift') ?? false);
  });
}
