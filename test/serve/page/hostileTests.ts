import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Json, startServer, type TestServer } from '../harness.ts';
import { focused, openPage, overflow, until, type WatchedPage } from './browser.ts';
import { faults } from './faults.ts';
import { post } from './jobs.ts';

const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "javascript:alert('x')",
  '</bdi></p></li></ol><iframe srcdoc="<script>parent.alert(1)</script>">',
  '{{constructor.constructor("alert(1)")()}}',
  '\u202egnp.exe\u202d \u2066\u2067 עברית',
];
const LONG = 'W'.repeat(100_000);
const TEXT = `${'All work and no play makes a dull page. '.repeat(200)}The end.`;

const DOCUMENTS = [
  ...ATTACKS.map((attack, i) => ({
    id: `attack ${attack}`,
    title: `trap ${attack}`,
    text: `trap ${attack} ${attack}`,
    attributes: { [attack]: attack, tags: [attack, 'trap'], [`n${attack}`]: i, __proto__: undefined },
  })),
  {
    id: 'long',
    title: `trap ${LONG}`,
    text: `trap ${LONG}`,
    attributes: { tags: [LONG], kind: LONG.slice(0, 5000) },
  },
  {
    id: 'book',
    title: 'A trap in a book',
    text: `trap. ${TEXT}`,
    attributes: { kind: 'book', ['a name that goes on '.repeat(20)]: 'value' },
  },
  { id: 'blank', title: '\u00a0\u200b', text: 'trap without a name' },
];

/** What documents say is text, whatever it looks like; and however long it is. */
export function hostileTests(browser: Browser): void {
  let server: TestServer;
  let watched: WatchedPage;
  let page: Page;
  beforeAll(async () => {
    server = await startServer();
    await post(server.url, DOCUMENTS);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    watched = await openPage(browser, { viewport: { width: 390, height: 800 } });
    ({ page } = watched);
  });
  afterEach(() => watched.close());

  const made = () =>
    page.evaluate("document.querySelectorAll('body script, iframe, img, [onerror], [onload]').length");

  test('nothing of a document is executed, wherever it is shown', async () => {
    await page.goto(server.url);
    await page.locator('#welcome li').first().waitFor();
    expect(await made()).toBe(0);
    await page.locator('#query').fill('trap');
    await until(async () => (await page.locator('.hit').count()) === DOCUMENTS.length);
    for (const attack of ATTACKS) {
      const hit = page.locator('.hit', { has: page.locator('.title', { hasText: `trap ${attack}` }) });
      await hit.locator('.title').click();
      await hit.locator('.details .text').waitFor();
      expect(await hit.locator('.details .text').textContent()).toBe(`trap ${attack} ${attack}`);
    }
    await page.locator('#filterButton').click();
    const facet = page.locator('details.facet', { hasText: ATTACKS[0]! }).first();
    await facet.evaluate((element: Json) => {
      element.open = true;
    });
    await facet.locator('input').first().check();
    await until(async () => (await page.locator('.hit').count()) === 1);
    expect(await page.locator('.chip').first().textContent()).toContain('<script>');
    await page.getByRole('button', { name: 'Before and after ranking' }).click();
    await page.locator('.comparison li').first().waitFor();
    expect(await made()).toBe(0);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  test('the policy would refuse it even if the page tried, and the watch would see it', async () => {
    await page.goto(server.url);
    const html = "document.body.innerHTML = '<img src=x onerror=alert(1)>'";
    await expect(page.evaluate(html)).rejects.toThrow('TrustedHTML');
    await until(async () => (await page.evaluate('violations.length')) === 1);
    await page.goto(server.url); // what was seen so far was meant
  });

  test('an attack in the address is text too', async () => {
    for (const attack of ATTACKS) {
      const filter = JSON.stringify({ or: [{ eq: [attack, attack] }, { eq: ['tags', attack] }] });
      await page.goto(`${server.url}/#q=${encodeURIComponent(attack)}&filter=${encodeURIComponent(filter)}`);
      await until(async () => (await page.locator('#query').inputValue()) === attack);
      await page.locator('.chip').waitFor();
      expect(await made()).toBe(0);
    }
  });

  test('long words do not widen the page, and long texts wait for "more"', async () => {
    await page.goto(`${server.url}/#q=trap`);
    await until(async () => (await page.locator('.hit').count()) === DOCUMENTS.length);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    const book = page.locator('.hit', { has: page.locator('.title', { hasText: 'A trap in a book' }) });
    await book.locator('.title').click();
    const text = book.locator('.details .text');
    await text.waitFor();
    expect((await text.textContent())!.length).toBeLessThan(1600);
    await text.getByRole('button', { name: 'Show more' }).click();
    expect(await text.textContent()).toContain('The end.');
    expect(await focused(page)).toContain('The end.');
    const long = page.locator('.hit', { has: page.locator('.title', { hasText: /^trap WWW/ }) });
    await long.locator('.title').click();
    await long.locator('.details .text').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  test('a title without anything to be seen is replaced, in the list and in the comparison', async () => {
    await page.goto(`${server.url}/#q=trap+without+a+name&compare=1`);
    await page.locator('.comparison').waitFor();
    await page.locator('.hit').getByRole('button', { name: 'trap without a name' }).waitFor();
    const names = await page.locator('.hit .title, .comparison .name').allTextContents();
    expect(names.every((name) => /[^\s\p{C}]/u.test(name))).toBe(true);
    expect(names.filter((name) => name === 'trap without a name').length).toBe(3);
  });

  test('axe finds nothing serious, whatever attributes are called', async () => {
    await page.goto(`${server.url}/#q=trap&compare=1`);
    await page.locator('.comparison').waitFor();
    await page.locator('#filterButton').click();
    await page.locator('details.facet label').first().waitFor();
    await page.locator('details.facet').evaluateAll((all: Json[]) => {
      for (const one of all) one.open = true;
    });
    await page.locator('.title').first().click();
    await page.locator('.explanation').waitFor();
    expect(await faults(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  test('text from right to left stands on its own side and turns nothing around it', async () => {
    await post(server.url, [{ id: 'rtl', title: 'עבודה בלילה', text: 'עבודה במשמרת לילה בבית חולים.' }]);
    await page.goto(`${server.url}/#q=${encodeURIComponent('עבודה')}&retrieve=bm25`);
    await page.locator('.hit').first().waitFor();
    const direction = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).direction`);
    expect(await direction('.hit .passage bdi')).toBe('rtl');
    expect(await direction('#query')).toBe('rtl');
    expect(await direction('.hit')).toBe('ltr');
  });
}
