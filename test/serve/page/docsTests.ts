import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { ask, startServer, type TestServer } from '../harness.ts';
import { openPage } from './browser.ts';

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
}
