import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import { native, nativeProblem } from '../../ts/device/native.ts';
import { NativeAdamW } from '../../ts/device/nativeAdamW.ts';
import { type AdamW, adamW, euclideanNorm } from '../../ts/device/reference/adamW.ts';
import { DRAWN, EFFORT } from '../helpers/effort.ts';

const addon = native();
if (addon === undefined) console.warn(`The addon is not tested: ${nativeProblem()?.message}`);
const before = process.env.SEINE_ISA;
afterAll(() => {
  if (before === undefined) delete process.env.SEINE_ISA;
  else process.env.SEINE_ISA = before;
});

const OPTIMIZER: AdamW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
const SPREADS = [
  (source: Random) => source.normal(),
  (source: Random) => source.normal() * 2 ** (source.below(60) - 40),
  (source: Random) => source.normal() * 2 ** (source.below(12) - 150),
  () => 0,
];
/** Evenly: doubles by their bits would nearly all be too small to change anything. */
const upTo = (most: number) => fc.integer({ min: 0, max: 1000 }).map((i) => (i / 1000) * most);
const sizes = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(2 ** 16 - 1, 2 ** 16, 2 ** 17 + 17));

describe.each(addon?.supportedIsas() ?? [])('%s', (isa) => {
  const drawn = fc.record({ size: sizes, spread: fc.nat(SPREADS.length - 1), seed: fc.nat() });

  test('steps are those of the definition, to the bit', async () => {
    process.env.SEINE_ISA = isa;
    const settings = fc.record({
      beta1: upTo(0.99),
      beta2: upTo(0.9999),
      weightDecay: fc.constantFrom(0, 0.01, 0.3),
      clipNorm: fc.constantFrom(1e-3, 1, 1e6),
      rate: upTo(0.1),
      share: upTo(1),
    });
    const property = fc.asyncProperty(
      drawn,
      settings,
      async ({ size, spread, seed }, { rate, share, ...rest }) => {
        const source = random(seed);
        const draw = (): Float32Array => Float32Array.from({ length: size }, () => SPREADS[spread]!(source));
        const ours = { parameters: draw(), mean: new Float32Array(size), variance: new Float32Array(size) };
        const expected = structuredClone(ours);
        const optimizer = { ...OPTIMIZER, ...rest };
        const native = new NativeAdamW(optimizer);
        for (const step of [1, 2, 1000]) {
          const gradient = draw();
          const at = { norm: euclideanNorm(gradient), step, rate, decayed: Math.floor(share * size) };
          await native.step(ours, gradient, at);
          adamW(expected, gradient, optimizer, at);
        }
        for (const key of ['parameters', 'mean', 'variance'] as const) {
          expect(Buffer.from(ours[key].buffer).equals(Buffer.from(expected[key].buffer))).toBe(true);
        }
      },
    );
    await fc.assert(property, { numRuns: 12 * EFFORT, ...DRAWN });
  }, 180_000);

  test('lengths are those of the definition, to the bit', async () => {
    process.env.SEINE_ISA = isa;
    const native = new NativeAdamW(OPTIMIZER);
    const property = fc.asyncProperty(drawn, async ({ size, spread, seed }) => {
      const source = random(seed);
      const values = Float32Array.from({ length: size }, () => SPREADS[spread]!(source));
      expect(await native.norm(values)).toBe(euclideanNorm(values));
      const plain = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
      expect(Math.abs(euclideanNorm(values) - plain)).toBeLessThanOrEqual(1e-9 * plain);
    });
    await fc.assert(property, { numRuns: 25, ...DRAWN });
  });

  test('the length of what is not finite is not finite', async () => {
    process.env.SEINE_ISA = isa;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const gradient = new Float32Array(100_000);
      gradient[77_777] = value;
      expect(Number.isFinite(await new NativeAdamW(OPTIMIZER).norm(gradient))).toBe(false);
    }
  });
});

test('arrays of different lengths are refused', async () => {
  const state = { parameters: new Float32Array(3), mean: new Float32Array(3), variance: new Float32Array(2) };
  const step = new NativeAdamW(OPTIMIZER).step(state, new Float32Array(3), {
    norm: 0,
    step: 1,
    rate: 1,
    decayed: 3,
  });
  await expect(step).rejects.toMatchObject({ code: 'ERR_DIMENSION' });
});
