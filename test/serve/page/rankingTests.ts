import { describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Json } from '../harness.ts';
import { bodiesTo, focused, overflow, queryBox, titles, until } from './browser.ts';
import { servedPage } from './servedPage.ts';

/** Before and after ranking; its depth; servers that do not rank. */
export function rankingTests(browser: Browser): void {
  const served = servedPage(browser);

  test('before and after ranking stand side by side, every move with its figure', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=look+after+children`);
    await page.getByRole('button', { name: 'Before and after ranking' }).click();
    const columns = page.locator('.comparison section');
    await columns.first().waitFor();
    const [before, after] = await Promise.all(
      [0, 1].map((i) => columns.nth(i).locator('.name').allTextContents()),
    );
    expect([before!.length, after!.length]).toEqual([10, 10]);
    expect(after).toEqual(await titles(page));
    const badges = await columns.nth(1).locator('.badge').allTextContents();
    expect(badges.length).toBe(10);
    for (const [i, badge] of badges.entries()) {
      const was = before!.indexOf(after![i]!);
      if (was < 0) continue;
      expect(badge).toBe(was === i ? '=' : was > i ? `+${was - i}` : `−${i - was}`);
    }
    // Every row on the left says where its document went.
    const went = await columns.first().locator('.badge').allTextContents();
    expect(went.length).toBe(10);
    for (const [i, badge] of went.entries()) {
      expect(badge).toMatch(/^→ \d+$/);
      const to = after!.indexOf(before![i]!);
      if (to >= 0) expect(badge).toBe(`→ ${to + 1}`);
      else expect(Number(badge.slice(2))).toBeGreaterThan(10);
    }
    expect(await page.locator('.comparison path').count()).toBeGreaterThanOrEqual(10);
    expect(page.url()).toContain('compare=1');
  });

  test('a row of the comparison lights up with its counterpart and leads to its hit', async () => {
    const { page } = served;
    await page.goto(`${served.server.url}/#q=look+after+children&compare=1`);
    const row = page.locator('.comparison section').nth(1).locator('li').nth(2);
    const name = await row.locator('.name').textContent();
    await row.locator('button').focus();
    const lit = page.locator('.comparison li.lit .name');
    expect(new Set(await lit.allTextContents())).toEqual(new Set([name]));
    expect(await page.locator('.comparison path.lit').count()).toBe(1);
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe(name);
    expect(await lit.count()).toBe(0);
  });

  test('on a narrow screen names in the comparison have room', async () => {
    const { page } = served;
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`${served.server.url}/#q=look+after+children&compare=1`);
    await page.locator('.comparison').waitFor();
    for (const name of await page.locator('.comparison .name').all()) {
      expect((await name.boundingBox())!.width).toBeGreaterThan(60);
    }
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  describe('with a depth that the server sets', () => {
    const depth = { least: 10, greatest: 20, targetMs: 60_000 };
    const limited = servedPage(browser, { settings: { workloads: { interactive: { depth } } } });

    test('pages and explanations are asked for at the depth of their list', async () => {
      const { page, server } = limited;
      const [explained, searched] = [bodiesTo(page, '/explain'), bodiesTo(page, '/search')];
      await page.goto(`${server.url}/#q=night+nurse`);
      await page.locator('.hit').first().waitFor();
      await page.locator('#status').getByText('20 ranked · depth 20 of 10–20 ·').waitFor();
      await page.locator('#more').click();
      await until(async () => (await titles(page)).length === 20);
      await page.locator('.title').first().click();
      await page.locator('.explanation').waitFor();
      expect(searched.filter(({ offset }) => offset > 0).map((body) => body.depth)).toEqual([20]);
      expect(explained.map((body) => body.depth)).toEqual([20]);
      expect(await page.locator('.details .trouble').count()).toBe(0);
    });

    test('an explanation at another depth than the list says so', async () => {
      const { page, server } = limited;
      await page.route('**/explain', (route) =>
        route.continue({ postData: { ...(route.request().postDataJSON() as object), depth: 6 } }),
      );
      await page.goto(`${server.url}/#q=night+nurse`);
      await page.locator('.title').first().click();
      await page.getByText('Explained at depth 6; this list was ranked at 20.').waitFor();
    });

    test('a page at another depth than the list says so', async () => {
      const { page, server } = limited;
      await page.route('**/search', (route) => {
        const body = route.request().postDataJSON() as Json;
        return route.continue(body.offset > 0 ? { postData: { ...body, depth: 6 } } : {});
      });
      await page.goto(`${server.url}/#q=night+nurse`);
      await page.locator('#more').click();
      await until(async () => (await titles(page)).length > 10);
      expect(await page.locator('#status').textContent()).toContain('from hit 11 on ranked at depth 6');
    });
  });

  describe('without a ranker', () => {
    const plain = servedPage(browser, { settings: { ranker: 'none' } });

    test('nothing speaks of ranking', async () => {
      const { page, server } = plain;
      await page.goto(server.url);
      await page.locator('#welcome li').first().waitFor();
      expect(await page.locator('#welcome').textContent()).not.toContain('ranker');
      expect(await page.locator('#compare').isVisible()).toBe(false);
      await queryBox(page).fill('night nurse');
      await page.locator('.hit').first().waitFor();
      expect(await page.locator('.hit svg').first().getAttribute('aria-label')).toMatch(
        /^Scores: dense [\d.]+, BM25 [\d.]+, fused [\d.]+$/,
      );
      await page
        .locator('#status')
        .getByText(/ms · no ranker · cpu/)
        .waitFor();
      expect(await page.locator('.times dt').allTextContents()).toEqual([
        'wait',
        'understand',
        'retrieve',
        'respond',
      ]);
    });

    test('an address that compares shows the hits alone', async () => {
      const { page, server } = plain;
      await page.goto(`${server.url}/#q=night+nurse&compare=1`);
      await page.locator('#status').getByText('no ranker').waitFor();
      await until(async () => (await titles(page)).length === 10);
      await until(async () => !(await page.locator('#comparison').isVisible()));
    });
  });
}
