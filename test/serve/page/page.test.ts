import { afterAll, describe, test } from '@jest/globals';
import { accessTests } from './accessTests.ts';
import { launchBrowser } from './browser.ts';
import { docsTests } from './docsTests.ts';
import { gradingTests } from './gradingTests.ts';
import { hostileTests } from './hostileTests.ts';
import { searchingTests } from './searchingTests.ts';
import { troubleTests } from './troubleTests.ts';

// One file, so that one browser serves all of it.
const browser = await launchBrowser();

if (typeof browser === 'string') {
  console.warn(`Tests of the page are skipped: no browser runs here (${browser}).`);
  describe.skip('the page in a browser', () => {
    test('needs one', () => {});
  });
} else {
  afterAll(() => browser.close());
  describe('searching', () => searchingTests(browser));
  describe('trouble', () => troubleTests(browser));
  describe('grading', () => gradingTests(browser));
  describe('hostile documents', () => hostileTests(browser));
  describe('the interface', () => docsTests(browser));
  describe('access', () => accessTests(browser));
}
