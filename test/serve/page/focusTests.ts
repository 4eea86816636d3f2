import { expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Json } from '../harness.ts';
import { focused, titles, until, valueBox } from './browser.ts';
import { servedPage } from './servedPage.ts';

/** Whoever goes by keys is never sent back to the top, and always sees where they are. */
export function focusTests(browser: Browser): void {
  const served = servedPage(browser);
  const press = async (name: string): Promise<void> => {
    await served.page.getByRole('button', { name, exact: true }).focus();
    await served.page.keyboard.press('Enter');
  };
  const filterOf = (filter: object): string => `&filter=${encodeURIComponent(JSON.stringify(filter))}`;

  test('filters that are removed hand the focus to the next, and the last to the hits', async () => {
    const { page, server } = served;
    const filter = { and: [{ eq: ['city', 'Bern'] }, { gte: ['pay', 60] }] };
    await page.goto(`${server.url}/#q=work${filterOf(filter)}`);
    await page.locator('.hit').first().waitFor();
    await press('Remove filter city: Bern');
    await until(async () => (await page.locator('.chip').count()) === 1);
    expect(await focused(page)).toBe('Remove filter pay: from 60');
    await page.keyboard.press('Enter');
    await until(async () => (await page.locator('.chip').count()) === 0);
    expect(await focused(page)).toBe('main');
  });

  test('"Remove the filters" leaves the focus at what is found then', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=nurse${filterOf({ eq: ['city', 'Geneva'] })}`);
    await press('Remove the filters');
    await until(async () => (await titles(page)).length === 10);
    expect(await focused(page)).toBe('main');
  });

  test('"More hits" leads to the first that came, also at the end', async () => {
    const { page, server } = served;
    await page.goto(`${server.url}/#q=nurse`);
    for (const length of [10, 20]) {
      await press('More hits');
      await until(async () => (await titles(page)).length > length);
      expect(await focused(page)).toBe((await titles(page))[length]);
    }
    expect(await page.locator('#more').isVisible()).toBe(false);
  });

  test('Esc in the filters of a narrow screen leads to their button', async () => {
    const { page, server } = served;
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`${server.url}/#q=nurse`);
    await page.locator('#filterButton').click();
    await valueBox(page, 'city', 'Bern').locator('input').focus();
    await page.keyboard.press('Escape');
    expect(await page.locator('#aside').isVisible()).toBe(false);
    expect(await focused(page)).toBe('filterButton');
  });

  test('"Try now" leaves it at the hits', async () => {
    const { page, server } = served;
    await page.route('**/search', (route) => route.abort());
    await page.goto(`${server.url}/#q=nurse`);
    await page.getByText('The server does not answer.').waitFor();
    await page.unroute('**/search');
    await press('Try now');
    await until(async () => (await titles(page)).length === 10);
    expect(await focused(page)).not.toBe('BODY');
  });

  test('"Clear grades" leaves it at the grades', async () => {
    const { page, server } = served;
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(`${server.url}/#q=nurse`);
    await page.locator('.hit').first().getByRole('button', { name: 'Grade 2: relevant' }).click();
    await press('Clear grades');
    await page.getByText('Grade hits from 0 to 3').waitFor();
    expect(await focused(page)).toBe('gradesTitle');
    expect(await page.locator('.grade [aria-pressed="true"]').count()).toBe(0);
  });

  test('the header hides nothing that has the focus', async () => {
    const { page, server } = served;
    await page.setViewportSize({ width: 1200, height: 500 });
    await page.goto(`${server.url}/#q=nurse`);
    await page.locator('.hit').first().waitFor();
    await page.locator('#more').focus();
    const hidden = `(() => {
      const header = document.querySelector('header').getBoundingClientRect();
      const { top } = document.activeElement.getBoundingClientRect();
      return !document.activeElement.closest('header') && top < header.bottom;
    })()`;
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Shift+Tab');
      expect(await page.evaluate(hidden)).toBe(false);
    }
  });

  test('the help opens at its beginning, and closes to where it was asked for', async () => {
    const { page, server } = served;
    await page.setViewportSize({ width: 360, height: 400 });
    await page.goto(server.url);
    await press('Keys and help');
    expect(await focused(page)).toBe('helpClose');
    expect(await page.locator('#help').evaluate((dialog: Json) => dialog.scrollTop)).toBe(0);
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('helpButton');
  });
}
