import { afterAll, describe, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, withoutChromium } from '../../helpers/launchBrowser.ts';
import { accessTests } from './accessTests.ts';
import { addressTests } from './addressTests.ts';
import { docsTests } from './docsTests.ts';
import { filterTests } from './filterTests.ts';
import { focusTests } from './focusTests.ts';
import { gradingTests } from './gradingTests.ts';
import { hostileTests } from './hostileTests.ts';
import { keyTests } from './keyTests.ts';
import { pagingTests } from './pagingTests.ts';
import { rankingTests } from './rankingTests.ts';
import { searchingTests } from './searchingTests.ts';
import { storageTests } from './storageTests.ts';
import { troubleTests } from './troubleTests.ts';

const GROUPS: [name: string, tests: (browser: Browser) => void][] = [
  ['searching', searchingTests],
  ['the address', addressTests],
  ['filters', filterTests],
  ['paging', pagingTests],
  ['ranking', rankingTests],
  ['trouble', troubleTests],
  ['keys', keyTests],
  ['storage', storageTests],
  ['grading', gradingTests],
  ['focus', focusTests],
  ['hostile documents', hostileTests],
  ['the interface', docsTests],
  ['access', accessTests],
];

if (withoutChromium) {
  describe.skip('the page in a browser', () => {
    test('is left out: SEINE_WITHOUT_CHROMIUM is 1', () => {});
  });
} else {
  // One file, so that one browser serves all of it.
  const browser = await launchBrowser();
  afterAll(() => browser.close());
  describe.each(GROUPS)('%s', (_, tests) => tests(browser));
}
