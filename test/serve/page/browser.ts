import { expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Locator, Page, Route } from 'playwright-core';
import type { Json } from '../harness.ts';

/** Counts what must never happen, from before the first script of the page. */
const WATCH = `
  window.executed = 0;
  window.violations = [];
  addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));
  window.alert = () => { window.executed++; };
`;

export interface WatchedPage {
  page: Page;
  /** Ends it; whatever the test was about, nothing may have been executed, refused by the policy or thrown. */
  close(): Promise<void>;
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 850 }, ...options });
  await context.addInitScript({ content: WATCH });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  return {
    page,
    async close() {
      const state = await page.evaluate('({ executed, violations })');
      await context.close();
      expect({ ...(state as object), errors }).toEqual({ executed: 0, violations: [], errors: [] });
    },
  };
}

/** Titles of the hits that are shown, from the first. */
export function titles(page: Page): Promise<string[]> {
  return page.locator('#hits .title').allTextContents();
}

/** The box for the query. */
export const queryBox = (page: Page): Locator => page.locator('#query');

/** The box of a value in the filters. */
export const valueBox = (page: Page, name: string, value: string): Locator =>
  page.locator('details.facet', { has: page.locator('summary', { hasText: name }) }).locator('label', {
    has: page.locator('.value', { hasText: new RegExp(`^${value}$`) }),
  });

/** What has the focus: its id, or else its text, or `BODY` if nothing has. */
export async function focused(page: Page): Promise<string> {
  return String(
    await page.evaluate(
      '(({ activeElement: a }) => a === document.body ? "BODY" : a.id || a.ariaLabel || a.textContent)(document)',
    ),
  );
}

/** Bodies of the requests that go to a path from now on. */
export function bodiesTo(page: Page, path: string): Json[] {
  const bodies: Json[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === path) bodies.push(request.postDataJSON());
  });
  return bodies;
}

/** Holds the requests back that a condition names, until they are let go, with the server's own answer. */
export async function holdBack(
  page: Page,
  path: string,
  isHeld: (body: Json) => boolean,
): Promise<() => Promise<void>> {
  const held: Route[] = [];
  let holding = true;
  await page.route(`**${path}`, async (route) => {
    if (holding && isHeld(route.request().postDataJSON())) held.push(route);
    else await route.continue();
  });
  return async () => {
    holding = false;
    await Promise.allSettled(held.map((route) => route.continue()));
  };
}

/** Waits until a condition holds, for what no locator says. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 800; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`It did not come true: ${condition}`);
}

/** How many CSS pixels the page is wider than the window. */
export function overflow(page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
