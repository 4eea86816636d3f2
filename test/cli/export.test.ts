import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFamily } from '../models/familyModel.ts';
import { Workplace } from './seine.ts';

describe('seine export', () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace();
    copyFamily('qwen3', join(place.folder, 'qwen3'));
  });
  afterAll(() => place.remove());

  test('says what it wrote', () => {
    const { status, stdout, stderr } = place.seine(['export', 'qwen3', 'exported', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      model: 'qwen3',
      directory: 'exported',
      head: 'language',
      files: { 'config.json': expect.any(Number), 'onnx/model.onnx': expect.any(Number) },
    });
    expect(stderr).toMatch(/parameters in .*, written to exported\.\n$/);
    expect(existsSync(join(place.folder, 'exported', 'onnx', 'model.onnx'))).toBe(true);
  });

  test.each([
    ['a directory that is there', ['qwen3', 'qwen3'], 2, 'is there already'],
    ['a model that is not there', ['nowhere', 'new'], 3, "A model's directory should be at nowhere"],
    ['no target', ['qwen3'], 2, "missing required argument 'dir'"],
  ])('%s: one sentence and the exit status', (_, args, status, said) => {
    const { stdout, stderr, ...ended } = place.seine(['export', ...args]);
    expect({ status: ended.status, stdout, stderr }).toEqual({
      status,
      stdout: '',
      stderr: expect.stringContaining(said),
    });
  });
});
