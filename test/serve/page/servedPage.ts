import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startServer, type TestServer } from '../harness.ts';
import { openPage, type WatchedPage } from './browser.ts';
import { JOBS, post } from './jobs.ts';

/** What a group of tests works with; the hooks fill it. */
export interface ServedPage {
  server: TestServer;
  page: Page;
}

/** A server over documents for all tests of a group, the jobs unless others are given, and a new page for each. */
export function servedPage(
  browser: Browser,
  {
    settings = {},
    context = {},
    documents = JOBS,
    headers = {},
  }: {
    settings?: Record<string, unknown>;
    context?: BrowserContextOptions;
    documents?: object[];
    /** With which the documents are sent. */
    headers?: Record<string, string>;
  } = {},
): ServedPage {
  const served = {} as ServedPage;
  let watched: WatchedPage;
  beforeAll(async () => {
    served.server = await startServer(settings);
    await post(served.server.url, documents, headers);
  });
  afterAll(() => served.server.close());
  beforeEach(async () => {
    watched = await openPage(browser, context);
    served.page = watched.page;
  });
  afterEach(() => watched.close());
  return served;
}
