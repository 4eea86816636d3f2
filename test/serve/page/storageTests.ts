import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openPage, titles, until } from './browser.ts';
import { servedPage } from './servedPage.ts';

/** What a browser does where a reader has blocked storage: its very name throws. */
const BLOCKED = `for (const name of ['localStorage', 'sessionStorage']) {
  Object.defineProperty(window, name, { get() { throw new DOMException('Access is denied.', 'SecurityError'); } });
}`;

/** Leaves no room in the storage: halves what no longer fits, down to a single character. */
const FULL = `for (let size = 2 ** 23, i = 0; size >= 1; ) {
  try { localStorage.setItem('filler ' + i++, 'x'.repeat(size)); } catch { size = Math.floor(size / 2); }
}`;

/** Storage that is blocked, full, or holds what the page never wrote; grades from other tabs. */
export function storageTests(browser: Browser): void {
  const served = servedPage(browser);
  const grade = (hit: number, name: string) =>
    served.page.locator('.hit').nth(hit).getByRole('button', { name });
  const fleeting = () => served.page.locator('#grades').getByText('Grades cannot be kept here');

  test('where storage is blocked, the page searches and grades, and says that grades do not last', async () => {
    const { page, server } = served;
    await page.addInitScript({ content: BLOCKED });
    await page.goto(`${server.url}/#q=night+nurse`);
    await grade(0, 'Grade 3: exactly right').click();
    await fleeting().waitFor();
    await page.locator('#grades').getByText('1 grade for 1 query').waitFor();
    await page.locator('#retrieve').selectOption('dense');
    await until(async () => (await titles(page)).length === 10);
    expect(await page.locator('.grade [aria-pressed="true"]').allTextContents()).toEqual(['3']);
  });

  test('where storage is full, the same', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=night+nurse`);
    await page.evaluate(FULL);
    await grade(0, 'Grade 2: relevant').click();
    await fleeting().waitFor();
    expect(await grade(0, 'Grade 2: relevant').getAttribute('aria-pressed')).toBe('true');
    await page.evaluate('localStorage.clear()');
    await grade(1, 'Grade 1: related').click(); // there is room again: all of it is kept
    await page.locator('#grades').getByText('2 grades for 1 query, kept in this browser').waitFor();
  });

  test.each(['{', '{"a":1}', '[null,5,{"id":"q1"}]', '[{"id":"q1","query":"x","grades":[[1,2]]}]'])(
    'what is no list of grades is not taken for one: %s',
    async (kept) => {
      const { page, server } = served;
      await page.addInitScript(`
      if (localStorage.getItem('seine.grades') === null) localStorage.setItem('seine.grades', ${JSON.stringify(kept)});
      sessionStorage.setItem('seine.key', '{"no":"key"}');
    `);
      await page.goto(`${server.url}/#q=night+nurse`);
      await page.getByText('Grade hits from 0 to 3').waitFor();
      await grade(0, 'Grade 2: relevant').click();
      await page.reload();
      await page.locator('.hit').first().waitFor();
      expect(await grade(0, 'Grade 2: relevant').getAttribute('aria-pressed')).toBe('true');
    },
  );

  test('grades that are given in another tab appear at the hits', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=night+nurse`);
    await page.locator('.hit').first().waitFor();
    const other = await page.context().newPage();
    await other.goto(`${server.url}/#q=night+nurse`);
    await other.locator('.hit').nth(1).getByRole('button', { name: 'Grade 1: related' }).click();
    await until(async () => (await grade(1, 'Grade 1: related').getAttribute('aria-pressed')) === 'true');
    await page.getByRole('button', { name: '1 grade · Download' }).click();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Download relevance');
  });

  test('the names of grades can be seen without knowing them', async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${served.server.url}/#q=night+nurse`);
    const group = page.locator('.hit .grade').first();
    expect(await group.locator('.caption').textContent()).toBe('Grade');
    await group.getByRole('button', { name: 'Grade 1: related' }).hover();
    expect(await group.locator('.caption').textContent()).toBe('related');
    await group.getByRole('button', { name: 'Grade 3: exactly right' }).focus();
    expect(await group.locator('.caption').textContent()).toBe('exactly right');
    await close();
  });
}
