import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import { native, nativeProblem } from '../../ts/device/native.ts';
import { nativeQuantize } from '../../ts/device/nativeQuantize.ts';
import { quantizeRows } from '../../ts/device/reference/quantizeRows.ts';

const addon = native();
if (addon === undefined) console.warn(`The addon is not tested: ${nativeProblem()?.message}`);
const before = process.env.SEINE_ISA;
afterAll(() => {
  if (before === undefined) delete process.env.SEINE_ISA;
  else process.env.SEINE_ISA = before;
});

const SPREADS = [
  (source: ReturnType<typeof random>) => source.normal(),
  (source: ReturnType<typeof random>) => source.normal() * 2 ** (source.below(60) - 40),
  (source: ReturnType<typeof random>) => source.normal() * 2 ** (source.below(12) - 150),
  (source: ReturnType<typeof random>) => (source.below(9) - 4) / 8,
  () => 0,
];

describe.each(addon?.supportedIsas() ?? [])('%s', (isa) => {
  test.each(['f32', 'f16', 'bf16', 'int8', 'binary'] as const)(
    '%s: the addon gives what the definition gives, to the bit',
    async (dtype) => {
      process.env.SEINE_ISA = isa;
      const input = fc.record({
        dim: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(384, 1000)),
        rows: fc.integer({ min: 0, max: 9 }),
        spread: fc.nat(SPREADS.length - 1),
        normalize: fc.boolean(),
        seed: fc.nat(),
      });
      const property = fc.asyncProperty(input, async ({ dim, rows, spread, normalize, seed }) => {
        const source = random(seed);
        const values = Float32Array.from({ length: rows * dim }, () => SPREADS[spread]!(source));
        const options = { dim, dtype, normalize };
        const ours = await nativeQuantize(addon!, values.slice(), options);
        const expected = await quantizeRows(values.slice(), options);
        expect(ours.overflow).toBe(expected.overflow);
        if (expected.overflow < 0) expect(ours).toEqual(expected);
      });
      await fc.assert(property, { numRuns: 150 });
    },
  );

  test('the first number that overflows is found, whatever thread meets it', async () => {
    process.env.SEINE_ISA = isa;
    const values = new Float32Array(3 * 2 ** 18 + 7).fill(65519);
    for (const at of [values.length - 1, 2 ** 19, 2 ** 18 - 1, 17, 16, 3]) {
      values[at] = -65520;
      expect((await nativeQuantize(addon!, values, { dim: 1, dtype: 'f16' })).overflow).toBe(at);
      expect((await nativeQuantize(addon!, values, { dim: 1, dtype: 'bf16' })).overflow).toBe(-1);
    }
  });
});
