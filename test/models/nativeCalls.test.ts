import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { writeOnnx } from '../../ts/graph/onnx.ts';
import { tinyEncoder, VOCAB, withFolder, writeModel } from './tinyModel.ts';

const WIDE = 4096;
const NARROW = 64;

/** A graph that computes long enough for the process to end in the middle of a run. */
const slow = writeOnnx({
  nodes: [
    { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
    { op: 'MatMul', inputs: ['rows', 'up'], outputs: ['wide'] },
    { op: 'MatMul', inputs: ['wide', 'down'], outputs: ['last_hidden_state'] },
  ],
  initializers: [
    {
      name: 'table',
      type: 'float32',
      dims: [VOCAB.size, NARROW],
      data: new Float32Array(VOCAB.size * NARROW),
    },
    { name: 'up', type: 'float32', dims: [NARROW, WIDE], data: new Float32Array(NARROW * WIDE) },
    { name: 'down', type: 'float32', dims: [WIDE, NARROW], data: new Float32Array(NARROW * WIDE) },
  ],
  inputs: [{ name: 'input_ids', type: 'int64', dims: ['batch', 'sequence'] }],
  outputs: [{ name: 'last_hidden_state', type: 'float32', dims: ['batch', 'sequence', NARROW] }],
});

const child = (script: string, ...parameters: string[]) =>
  spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, resolve('dist/models/encoder.js'), ...parameters],
    {
      encoding: 'utf8',
      timeout: 50_000,
    },
  );

test('a process may end in the middle of a run, and without closing a model', async () => {
  await withFolder(async (folder) => {
    const model = writeModel(folder, tinyEncoder(), { 'onnx/model.onnx': slow });
    const open = `
      const { openEncoder } = await import(process.argv[1]);
      const encoder = await openEncoder(process.argv[2]);`;
    const ending = child(
      `${open}
      const texts = Array(20_000).fill('sea river '.repeat(15));
      encoder.encode(texts, { kind: 'document', onProgress: () => setTimeout(() => process.exit(7), 20) });`,
      model,
    );
    expect([ending.stderr, ending.status]).toEqual(['', 7]);
    const idle = child(
      `${open} console.log((await encoder.encode(['sea'], { kind: 'query' })).tokens);`,
      model,
    );
    expect([idle.stdout, idle.status]).toEqual(['3\n', 0]);
  });
});
