import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Dtype, Metric } from '../../ts/core/types.ts';
import type { UploadOptions } from '../../ts/device/device.ts';
import { decodeRow, type FloatRows } from '../../ts/device/reference/decodeRow.ts';
import { quantizeRows } from '../../ts/device/reference/quantizeRows.ts';
import { BufferPool } from '../../ts/device/webgpuBuffers.ts';
import { sumsOf } from '../../ts/device/webgpuRescore.ts';
import { chunksOf, WebgpuShard } from '../../ts/device/webgpuShard.ts';
import { EFFORT, SEED } from '../helpers/effort.ts';
import { describeOnGpu } from '../helpers/gpuContext.ts';

const N = 1024;
const source = random(SEED);
const floats = new Float32Array(1);
const anyBits = (): number => {
  new Uint32Array(floats.buffer)[0] = source.below(2 ** 32);
  return Number.isFinite(floats[0]!) ? floats[0]! : 0;
};
const significand = () => (source.next() < 0.5 ? -1 : 1) * (1 + source.below(2 ** 23) * 2 ** -23);

/** Numbers whose sums round in every way that float64 can: `[rows, dim]`. */
const KINDS: Record<string, (dim: number) => number[]> = {
  'any bits': (dim) => Array.from({ length: dim }, anyBits),
  'neighbouring magnitudes': (dim) =>
    Array.from({ length: dim }, () => significand() * 2 ** (source.below(60) - 30)),
  'half of the last place': (dim) =>
    Array.from({ length: dim }, (_, i) => (i === 0 ? 1 : source.below(5) - 2) * 2 ** (i === 0 ? 53 : 0)),
  'all but cancels': (dim) => {
    const half = Array.from({ length: dim >> 1 }, () => significand() * 2 ** source.below(3));
    return [...half, ...half.map((x) => -x), ...(dim % 2 === 1 ? [significand() * 2 ** -24] : [])];
  },
  'carries into the next power': (dim) =>
    Array.from({ length: dim }, (_, i) =>
      i === 0 ? 2 - 2 ** -23 : (source.below(3) + 1) * 2 ** (-24 - 29 + source.below(31)),
    ),
  'powers of two': (dim) =>
    Array.from({ length: dim }, () => (source.next() < 0.5 ? -1 : 1) * 2 ** (source.below(120) - 60)),
};

/** Every one of the 64 bits: rounding to float32 would hide nearly all that can go wrong in float64. */
describeOnGpu('float64 by integers', (context) => {
  const forms = (['cosine', 'l2'] as const).flatMap((metric) =>
    (['f32', 'f16', 'bf16', 'int8'] as const).map((dtype): [Metric, Dtype] => [metric, dtype]),
  );
  test.each(forms)(
    `sums are to the bit those of float64, %s over %s (seed ${SEED})`,
    async (metric, dtype) => {
      for (const kind of Object.keys(KINDS)) {
        for (const dim of [
          1,
          2,
          3,
          16,
          ...Array.from({ length: EFFORT > 1 ? EFFORT : 0 }, () => 1 + source.below(70)),
        ]) {
          const options: UploadOptions = { dim, metric, dtype };
          const limit = { f32: 3.4e38, bf16: 3e38, f16: 6e4, int8: 3e38 }[dtype as 'f32'];
          const draw = () => Array.from({ length: N }, () => KINDS[kind]!(dim)).flat();
          const data = Float32Array.from(draw(), (x) => Math.max(-limit, Math.min(limit, x)));
          // All ones add the rows' numbers up as they are.
          const queries = Float32Array.from(source.next() < 0.5 ? draw() : data.map(() => 1));
          const { rows } = await quantizeRows(data, options);
          const shard = await WebgpuShard.create(context(), options, 0, N);
          await shard.write({ rows, features: new Float32Array() }, 0);
          const stride = chunksOf(options) * { f32: 4, f16: 8, bf16: 8, int8: 16 }[dtype as 'f32'];
          const padded = new Float32Array(N * stride);
          for (let i = 0; i < N; i++) padded.set(queries.subarray(i * dim, (i + 1) * dim), i * stride);
          const asked = new Uint32Array(N * 4);
          const scales = rows.dtype === 'int8' ? new Uint32Array(rows.scales.buffer) : new Uint32Array(N);
          for (let i = 0; i < N; i++) asked.set([i, i, scales[i]!], i * 4);
          const pool = new BufferPool(context().device);
          const pipeline = await context().rescoring(options);
          const words = new Uint32Array(padded.buffer);
          const found = await sumsOf(context(), pool, pipeline, shard, options, words, asked);
          pool.destroy();
          shard.destroy();
          const right = new Float64Array(N * 2);
          const x = new Float32Array(dim);
          for (let pair = 0; pair < N; pair++) {
            decodeRow(rows as FloatRows, pair, dim, x);
            for (let i = 0; i < dim; i++) {
              const q = queries[pair * dim + i]!;
              right[pair * 2]! += metric === 'l2' ? (q - x[i]!) * (q - x[i]!) : q * x[i]!;
              if (metric === 'cosine') right[pair * 2 + 1]! += x[i]! * x[i]!;
            }
          }
          const sums = new Float64Array(found.buffer, 0, N * 2);
          const wrong = right.findIndex((value, i) => !Object.is(value + 0, sums[i]! + 0));
          expect([kind, dim, wrong, sums[wrong]]).toEqual([kind, dim, -1, undefined]);
        }
      }
    },
  );
});
