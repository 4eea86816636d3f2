import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { isTypedArray } from '../../ts/core/isTypedArray.ts';

describe('isTypedArray', () => {
  test('knows arrays of this realm, of others, and of classes derived from them', () => {
    class Derived extends Float32Array {}
    for (const value of [new Float32Array(2), runInNewContext('new Float32Array(2)'), new Derived(2)]) {
      expect(isTypedArray(value, 'Float32Array')).toBe(true);
      expect(isTypedArray(value, 'Uint32Array')).toBe(false);
    }
    expect(isTypedArray(runInNewContext('new Uint32Array(2)'), 'Uint32Array')).toBe(true);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', 'Float32Array'],
    ['an array', [1, 2]],
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['a buffer', new ArrayBuffer(8)],
    ['another kind', new Float64Array(2)],
    ['an object that calls itself one', { [Symbol.toStringTag]: 'Float32Array', length: 2 }],
    ['an object with the prototype of one', Object.create(Float32Array.prototype)],
    ['a proxy of one', new Proxy(new Float32Array(2), {})],
  ])('is not deceived by %s', (_, value) => {
    expect(isTypedArray(value, 'Float32Array')).toBe(false);
  });
});
