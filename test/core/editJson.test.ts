import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { editJson } from '../../ts/core/editJson.ts';

describe('editJson', () => {
  test('changes what is named and leaves the digits of other numbers', () => {
    const text = '{"a": 2.0, "b": [1e-05, 100000.0, -0.5], "c": "1.0 \\"2.0\\"", "d": 1.0, "e": 3.0}';
    expect(editJson(text, { d: 7, e: undefined, f: [1] })).toBe(`{
  "a": 2.0,
  "b": [
    1e-05,
    100000.0,
    -0.5
  ],
  "c": "1.0 \\"2.0\\"",
  "d": 7,
  "f": [
    1
  ]
}
`);
  });

  test('is what parsing, changing and writing gives', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (fields, changes) => {
          const text = JSON.stringify(fields);
          expect(JSON.parse(editJson(text, changes))).toEqual(
            JSON.parse(JSON.stringify({ ...JSON.parse(text), ...changes })),
          );
        },
      ),
    );
  });
});
