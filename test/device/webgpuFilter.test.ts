import { expect, test } from '@jest/globals';
import { countBits, hasBit, wordsFor } from '../../ts/core/bitset.ts';
import type { FilterProgram, FilterTask } from '../../ts/device/device.ts';
import { OPERATION } from '../../ts/device/filterProgram.ts';
import { BufferPool } from '../../ts/device/webgpuBuffers.ts';
import { WebgpuColumns } from '../../ts/device/webgpuColumns.ts';
import type { GpuContext } from '../../ts/device/webgpuContext.ts';
import { filterOnGpu } from '../../ts/device/webgpuFilter.ts';
import { describeOnGpu, FEATURE_SETS } from '../helpers/gpuContext.ts';

/** Rows whose key in column 0 is from 1 to 3, `depth` times over. */
function programOf(depth: number): FilterProgram {
  const leaf = [OPERATION.code, 0, 0, 1];
  const steps = Array.from({ length: depth }, () => leaf).flat();
  for (let i = 1; i < depth; i++) steps.push(OPERATION.and, 0, 0, 0);
  return {
    steps: Uint32Array.from(steps),
    intervals: Uint32Array.of(1, 0, 3, 0),
    bits: new Uint32Array(),
    depth,
  };
}

const filterTests = (context: () => GpuContext) => {
  async function filterWords(gpu: GpuContext, words: Uint32Array, depth: number, signal?: AbortSignal) {
    const columns = new WebgpuColumns(gpu);
    const pool = new BufferPool(gpu.device);
    try {
      await columns.write(0, 0, words);
      const task: FilterTask = { program: programOf(depth), count: words.length, signal };
      return await filterOnGpu(gpu, pool, columns, task);
    } finally {
      columns.destroy();
      pool.destroy();
    }
  }

  test('more rows than a dispatch has threads are looked at, each round by itself', async () => {
    const round = 1024 * 256;
    const count = round + 300;
    // Of the first round all pass, of the second some.
    const words = new Uint32Array(count).fill(2).fill(9, round);
    words[count - 2] = 3;
    const { mask, passing } = await filterWords(context(), words, 1);
    expect(passing).toBe(round + 1);
    expect(mask).toHaveLength(wordsFor(count));
    expect(countBits(mask)).toBe(passing);
    expect(hasBit(mask, count - 2)).toBe(true);
  });

  test('what one binding cannot span is refused, with what to do', async () => {
    const small = { ...context(), maxBinding: 4096 };
    await expect(filterWords(small, new Uint32Array(1025), 1)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(/A column of 4100 bytes .* several residents/),
    });
    await expect(filterWords(small, new Uint32Array(1024).fill(1), 33)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(/takes 4224 bytes for bits of rows/),
    });
    expect((await filterWords(small, new Uint32Array(1024).fill(1), 32)).passing).toBe(1024);
  });

  test('a filter that is cancelled is not submitted any more', async () => {
    const controller = new AbortController();
    const filtering = filterWords(context(), new Uint32Array(1024), 32, controller.signal);
    controller.abort(new Error('enough'));
    await expect(filtering).rejects.toThrow('enough');
  });
};

for (const features of FEATURE_SETS) describeOnGpu(`filters (${features})`, filterTests, features);
