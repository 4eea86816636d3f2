import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../scripts/testGpu.mjs', import.meta.url));

test('a machine without a GPU and its tools is told what is missing', () => {
  const { status, stderr } = spawnSync(process.execPath, [script], { env: { PATH: '' }, encoding: 'utf8' });
  expect(status).toBe(3);
  expect(stderr.split('\n').map((line) => line.trim().split(':')[0])).toEqual([
    'The tests for a GPU cannot run here, since this is missing',
    'nvcc',
    'nvidia-smi',
    'compute-sanitizer',
    '',
  ]);
});
