import { expect } from '@jest/globals';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as driver, type Page } from 'playwright-core';
import { unpackPart } from '../../../scripts/unpackPart.mjs';

/** Of the flags for functions in the cloud, those that switch off what the page's policy stands on. */
const UNWANTED =
  /single-process|no-zygote|disable-web-security|insecure-content|site-isolation|site-per-process/;

/** A real browser, or why there is none. */
export async function launchBrowser(flags: readonly string[] = []): Promise<Browser | string> {
  try {
    return await driver.launch({
      executablePath: await chromium.executablePath(),
      args: [...chromium.args.filter((flag) => !UNWANTED.test(flag)), ...flags],
      env: { ...process.env, LD_LIBRARY_PATH: libraries() },
      headless: true,
    });
  } catch (error) {
    return (error as Error).message.split('\n')[0]!;
  }
}

/** Where the browser finds libraries such as NSS: its package brings those that a bare system lacks. */
function libraries(): string {
  const own = unpackPart('al2023');
  return [process.env.LD_LIBRARY_PATH, own && `${own}/lib`].filter(Boolean).join(':');
}

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
  page.setDefaultTimeout(10_000);
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
