import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { ask, startServer, type TestServer } from '../harness.ts';
import { openPage } from './browser.ts';
import { faults } from './faults.ts';

/** The rendered OpenAPI document. */
export function docsTests(browser: Browser): void {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test('shows every operation, and breaks no policy', async () => {
    const { paths } = (await ask(`${server.url}/openapi.json`)).body;
    const operations = Object.values(paths).flatMap((methods) => Object.keys(methods as object));
    const { page, close } = await openPage(browser);
    await page.goto(`${server.url}/docs`);
    const shown = page.locator('.opblock');
    await shown.first().click();
    await page.locator('.opblock .responses-table').first().waitFor();
    expect(await shown.count()).toBe(operations.length);
    await close();
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing serious when it is %s, and the first example is answered',
    async (colorScheme) => {
      const { page, close } = await openPage(browser, { colorScheme });
      await page.goto(`${server.url}/docs`);
      await page.locator('.opblock').first().waitFor();
      expect(await faults(page)).toEqual([]);
      const shade = String(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'));
      if (colorScheme === 'dark') expect(Number(/\d+/.exec(shade)![0])).toBeLessThan(60);
      await page.locator('.opblock-summary-control').first().click();
      await page.locator('.try-out__btn').first().click();
      await page.locator('.execute').first().click();
      const status = page.locator('.live-responses-table tbody .response-col_status').first();
      expect(await status.textContent()).toMatch(/^200/);
      expect(await faults(page)).toEqual([]);
      await page.locator('nav a').click();
      await page.locator('#query').waitFor();
      await close();
    },
  );
}
