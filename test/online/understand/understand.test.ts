import { expect, test } from '@jest/globals';
import { understand } from '../../../ts/online/understand/understand.ts';

test('white space is folded, and what no model would read is cut', () => {
  expect(understand(' \n ').text).toBe('');
  expect(understand('\ta machine\u00a0 that\n measures ').text).toBe('a machine that measures');
  expect(understand('bread '.repeat(1_000_000)).text.length).toBeLessThan(100_001);
});
