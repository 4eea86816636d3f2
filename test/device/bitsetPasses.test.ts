import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { wordsFor } from '../../ts/core/bitset.ts';
import { type BitsetPasses, BLOCK_WORDS, bitsetPasses } from '../../ts/device/bitsetPasses.ts';
import { native } from '../../ts/device/native.ts';
import { nativeBitset } from '../../ts/device/nativeBitset.ts';
import { DRAWN, SEED } from '../helpers/effort.ts';

const addon = native();
const all: [string, BitsetPasses][] = [['in JavaScript', bitsetPasses]];
if (addon !== undefined) all.push(['in the addon', nativeBitset(addon)]);

const words = fc.array(fc.oneof(fc.constant(0), fc.constant(0xffffffff), fc.nat(2 ** 32 - 1)), {
  maxLength: 70,
});

describe.each(all)('passes over bitsets %s', (_, passes) => {
  test(`narrow and list mean what they mean bit by bit (seed ${SEED})`, () => {
    fc.assert(
      fc.property(words, fc.option(words), (bits, among) => {
        const own = Uint32Array.from(bits);
        const other = among === null ? undefined : Uint32Array.from(bits, (_, i) => among[i] ?? 0);
        const positions = [...new Array(bits.length * 32).keys()].filter((bit) => {
          const inWord = (word: number) => ((word >>> (bit % 32)) & 1) === 1;
          const at = Math.floor(bit / 32);
          return inWord(bits[at]!) && (other === undefined || inWord(other[at]!));
        });
        const blocks = new Set(positions.map((bit) => Math.floor(bit / (32 * BLOCK_WORDS))));
        expect(passes.narrow(own, other)).toEqual({ bits: positions.length, blocks: blocks.size });
        expect([...passes.list(own, positions.length)]).toEqual(positions);
      }),
      DRAWN,
    );
  });

  test('none of no words', () => {
    expect(passes.narrow(new Uint32Array(wordsFor(0)), undefined)).toEqual({ bits: 0, blocks: 0 });
    expect(passes.list(new Uint32Array(), 0)).toHaveLength(0);
  });
});
