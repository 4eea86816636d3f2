import { describe, expect, test } from '@jest/globals';
import { normalize, type Pooling, pool, poolingMode } from '../../ts/models/pooling.ts';

// [2, 3, 2]; the second text has two tokens, its padding is NaN and must not be looked at.
const hidden = Float32Array.of(1, -5, 3, 4, 5, 7, 2, 8, 4, -2, Number.NaN, Number.NaN);

describe('pooling', () => {
  test.each<[Pooling, number[], number[]]>([
    ['mean', [3, 2], [3, 3]],
    ['cls', [1, -5], [2, 8]],
    ['max', [5, 7], [4, 8]],
    ['lasttoken', [5, 7], [4, -2]],
  ])('%s', (mode, first, second) => {
    const out = new Float32Array(2);
    pool(hidden, 0, 3, 3, mode, out);
    expect([...out]).toEqual(first);
    pool(hidden, 1, 3, 2, mode, out);
    expect([...out]).toEqual(second);
  });

  test('normalises to length 1 and leaves zeros', () => {
    const vector = Float32Array.of(3, 0, -4);
    normalize(vector);
    expect([...vector]).toEqual([...Float32Array.of(0.6, 0, -0.8)]);
    const zero = new Float32Array(3);
    normalize(zero);
    expect([...zero]).toEqual([0, 0, 0]);
  });

  test('the mode is read from the configuration, one and no other', () => {
    const mode = (config: Record<string, unknown>) => poolingMode(config, 'p.json');
    expect(mode({ pooling_mode_mean_tokens: false, pooling_mode_lasttoken: true })).toBe('lasttoken');
    expect(() => mode({ pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true })).toThrow(
      /p\.json should/,
    );
    expect(() => mode({ pooling_mode_mean_sqrt_len_tokens: true })).toThrow(
      /got pooling_mode_mean_sqrt_len_tokens/,
    );
    expect(() => mode({})).toThrow(/got none/);
  });
});
