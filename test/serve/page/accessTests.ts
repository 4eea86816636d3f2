import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startServer, type TestServer } from '../harness.ts';
import { openPage, overflow } from './browser.ts';
import { faults } from './faults.ts';
import { JOBS, post } from './jobs.ts';

type State = [name: string, path: string, reach: (page: Page) => Promise<unknown>];

const FILTER = encodeURIComponent(JSON.stringify({ eq: ['city', 'Bern'] }));
const STATES: State[] = [
  ['nothing asked', '/', (page) => page.locator('#welcome li').first().waitFor()],
  [
    'hits with filters and an open hit',
    `/#q=night+nurse&filter=${FILTER}`,
    async (page) => {
      await page.locator('.title').first().click();
      await page.locator('.details h4').first().waitFor();
      await page.locator('.grade button').first().click();
      await page.locator('details.facet label').first().waitFor({ state: 'attached' });
    },
  ],
  ['before and after', '/#q=night+nurse&compare=1', (page) => page.locator('.comparison').waitFor()],
  ['nothing found', '/#q=zxqv&retrieve=bm25', (page) => page.getByText('Try other words').waitFor()],
  [
    'help',
    '/',
    async (page) => {
      await page.locator('#helpButton').click();
      await page.locator('#help').waitFor();
    },
  ],
  [
    'server gone',
    '/',
    async (page) => {
      await page.route('**/search', (route) => route.abort());
      await page.locator('#query').fill('nurse');
      await page.getByText('Try now').waitFor();
    },
  ],
  [
    'a key is asked for',
    '/',
    async (page) => {
      const error = { code: 'ERR_UNAUTHORIZED', message: 'Send an API key.', requestId: 'x' };
      await page.route('**/search', (route) => route.fulfill({ status: 401, json: { error } }));
      await page.locator('#query').fill('nurse');
      await page.getByLabel('API key').waitFor();
    },
  ],
];

/** axe, dark and light, wide and narrow. */
export function accessTests(browser: Browser): void {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    await post(server.url, JOBS);
  });
  afterAll(() => server.close());

  const screens = (['light', 'dark'] as const).flatMap((colorScheme) => [
    { colorScheme, viewport: { width: 1200, height: 850 } },
    { colorScheme, viewport: { width: 320, height: 640 } },
  ]);
  describe.each(STATES)('%s', (_, path, reach) => {
    test.each(screens)('axe finds nothing serious: $colorScheme, $viewport.width px', async (screen) => {
      const { page, close } = await openPage(browser, screen);
      await page.goto(server.url + path);
      await reach(page);
      expect(await faults(page)).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await close();
    });
  });

  test('on a narrow screen the filters unfold, and hits fit in', async () => {
    const { page, close } = await openPage(browser, { viewport: { width: 320, height: 640 } });
    await page.goto(`${server.url}/#q=nurse`);
    await page.locator('.hit').first().waitFor();
    expect(await page.locator('#aside').isVisible()).toBe(false);
    await page.locator('#filterButton').click();
    await page.locator('#aside').getByText('Bern').waitFor();
    expect(await faults(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await close();
  });

  test('dark and light differ as the reader prefers', async () => {
    const shades = await Promise.all(
      (['light', 'dark'] as const).map(async (colorScheme) => {
        const { page, close } = await openPage(browser, { colorScheme });
        await page.goto(server.url);
        const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        await close();
        return Number(/\d+/.exec(String(colour))![0]);
      }),
    );
    expect(shades[0]).toBeGreaterThan(200);
    expect(shades[1]).toBeLessThan(60);
  });

  test('forced colours leave what is pressed and what a stage is to be seen', async () => {
    const { page, close } = await openPage(browser, { forcedColors: 'active' });
    await page.goto(`${server.url}/#q=nurse`);
    await page.locator('.hit').first().getByRole('button', { name: 'Grade 2: relevant' }).click();
    const shades = (selector: string, pseudo = '') =>
      page.evaluate(`[...document.querySelectorAll('${selector}')].map(
        (element) => getComputedStyle(element, '${pseudo}').backgroundColor)`) as Promise<string[]>;
    const [first, , pressed, last] = await shades('.hit:first-child .grade button');
    expect(first).toBe(last);
    expect(pressed).not.toBe(first);
    expect(new Set(await shades('.times dt', '::before')).size).toBe(5);
    await close();
  });
}
