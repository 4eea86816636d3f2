import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { focused, queryBox, titles, until } from './browser.ts';
import { servedPage } from './servedPage.ts';

const KEY = 'a-key-of-16-characters';

/** Servers that want a key. */
export function keyTests(browser: Browser): void {
  const served = servedPage(browser, {
    settings: { keys: [{ name: 'reader', key: KEY, write: true }] },
    headers: { authorization: `Bearer ${KEY}` },
  });

  test('a key is asked for, sent, and kept for this tab', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=nurse`);
    await page.getByLabel('API key').fill('another-one-than-that');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText('The API key is not known').waitFor();
    await page.getByLabel('API key').fill(KEY);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await until(async () => (await titles(page)).length === 10);
    expect(await page.locator('#notice').textContent()).toBe('');
    expect(await focused(page)).not.toBe('BODY');
    await page.reload();
    await until(async () => (await titles(page)).length === 10);
  });

  test('what is typed into the search stays out of the field for the key', async () => {
    const { page, server } = served;
    await page.goto(server.url);
    const key = page.getByLabel('API key');
    await key.waitFor();
    expect(await focused(page)).toBe('query'); // where it was
    for (const word of ['night', ' nurse', ' in Bern']) {
      const refused = page.waitForResponse((response) => response.status() === 401);
      await page.keyboard.type(word);
      await refused;
    }
    await until(() => page.url().endsWith('#q=night+nurse+in+Bern'));
    expect(await queryBox(page).inputValue()).toBe('night nurse in Bern');
    expect(await key.inputValue()).toBe('');
    expect(await focused(page)).toBe('query');
  });

  test('a key that is half written survives another search', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=nurse`);
    const key = page.getByLabel('API key');
    await until(async () => (await focused(page)) === 'key'); // nothing else had the focus
    await key.fill('a-key-of');
    const refused = page.waitForResponse((response) => response.url().endsWith('/search'));
    await page.locator('#retrieve').selectOption('bm25');
    await refused;
    await page.locator('#spinner').waitFor({ state: 'hidden' });
    expect(await key.inputValue()).toBe('a-key-of');
  });
}
