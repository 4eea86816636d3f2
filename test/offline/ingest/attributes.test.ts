import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inferType } from '../../../ts/core/attributeValues.ts';
import type { AttributeType } from '../../../ts/core/types.ts';
import { convert } from '../../../ts/offline/ingest/convert.ts';

const fromText = (value: string) => ({ value, textual: true });
const fromJson = (value: unknown) => ({ value, textual: false });

describe('types are told by all values', () => {
  test.each<[AttributeType | undefined, unknown[]]>([
    ['number', [1, 2.5, null]],
    ['boolean', [true, false]],
    ['keyword', ['a', 'true', '12']],
    ['timestamp', ['2026-03-01', '2026-03-01T10:00:00Z']],
    ['keyword', ['2026-03-01', 'soon']],
    ['keyword', [1, 'a']],
    ['set', [['a'], ['b', 'c'], 'd']],
    ['geo', [{ lat: 1, lon: 2 }]],
    [undefined, [null, undefined]],
  ])('JSON: %s', (type, values) => {
    expect(inferType(values.map(fromJson))).toBe(type);
  });

  test.each<[AttributeType, string[]]>([
    ['number', ['1', '-2.5', '1e3', '0']],
    ['keyword', ['1', '007']],
    ['keyword', ['1', '+2']],
    ['keyword', ['12345678901234567890']],
    ['boolean', ['TRUE', 'false']],
    ['timestamp', ['2024-01-25T11:28:50.295Z']],
    ['keyword', ['2024-02-30']],
    ['keyword', ['2024-01-01T25:00']],
  ])('text: %s', (type, values) => {
    expect(inferType(values.map(fromText))).toBe(type);
  });
});

describe('values are converted', () => {
  test.each<[AttributeType, unknown, unknown]>([
    ['keyword', 12, '12'],
    ['set', ['a', 1, true], ['a', '1', 'true']],
    ['set', 'a;b', ['a;b']],
    ['geo', { lat: 47.4, lon: 8.5 }, { lat: 47.4, lon: 8.5 }],
    ['timestamp', 0, new Date(0)],
    ['number', null, null],
  ])('JSON to %s', (type, value, expected) => {
    expect(convert('x', fromJson(value), type)).toEqual(expected);
  });

  test.each<[AttributeType, string, unknown]>([
    ['set', 'a | b;;c\nd', ['a', 'b', 'c', 'd']],
    ['geo', '47.4, 8.5', { lat: 47.4, lon: 8.5 }],
    ['keyword', '12', '12'],
    ['boolean', 'True', true],
  ])('text to %s', (type, value, expected) => {
    expect(convert('x', fromText(value), type)).toEqual(expected);
  });

  test.each<[AttributeType, unknown]>([
    ['number', 'many'],
    ['number', true],
    ['boolean', 'yes'],
    ['timestamp', '01.03.2026'],
    ['timestamp', 1e300],
    ['set', [['a']]],
    ['geo', { lat: 91, lon: 0 }],
    ['geo', '1,2,3'],
    ['keyword', { lat: 1, lon: 2 }],
  ])('what is no %s is refused with the remedy', (type, value) => {
    expect(() => convert('x', fromJson(value), type)).toThrow(
      /must hold .* in "x", got .*(--type|--attributes)/,
    );
  });

  test('any instant comes back from its ISO form, with whatever offset', () => {
    const instant = fc.date({
      min: new Date('0000-01-02'),
      max: new Date('9999-12-30'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instant, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offset) => {
        expect(convert('x', fromJson(date.toISOString()), 'timestamp')).toEqual(date);
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        if (local.length !== 23) return; // beyond four-digit years
        const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
        expect(convert('x', fromJson(local + zone), 'timestamp')).toEqual(date);
      }),
    );
  });
});
