import { describe, expect, test } from '@jest/globals';
import { nearest } from '../../ts/core/nearest.ts';

const NAMES = ['port', 'host', 'scoreCache', 'score'];

describe('nearest', () => {
  test.each<[string, string | undefined]>([
    ['prot', 'port'],
    ['PORT', 'port'],
    ['por', 'port'],
    ['hosts', 'host'],
    ['scorecash', 'scoreCache'],
    ['zzzz', undefined],
    ['', undefined],
    ['p'.repeat(61), undefined],
  ])('%p: %p', (name, meant) => {
    expect(nearest(name, NAMES)).toBe(meant);
  });
});
