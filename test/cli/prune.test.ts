import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFamily } from '../models/familyModel.ts';
import { Workplace } from './seine.ts';

describe('seine prune', () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace();
    copyFamily('qwen3', join(place.folder, 'qwen3'));
    const words = ['a b c d', 'e f g h', 'b d f h a c', 'h g f e d c b a'];
    place.file(
      'texts.txt',
      Array.from({ length: 40 }, (_, i) => `${words[i % 4]} ${words[(i * 3) % 4]}\n`).join(''),
    );
  });
  afterAll(() => place.remove());
  const prune = (...args: string[]) => place.seine(['prune', 'qwen3', '--calibration', 'texts.txt', ...args]);

  test('says what is left', () => {
    const { status, stdout, stderr } = prune('--out', 'thin', '--neurons', '0.5', '--heads', '0.5', '--json');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(
        /12 of 24 neurons a layer are left[\s\S]*1 of 2 heads of keys and values[\s\S]*Written to thin in/,
      ),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      method: 'reconstruction',
      neurons: { before: 24, after: 12, errors: [expect.any(Number), expect.any(Number)] },
      heads: { before: 2, after: 1 },
      layers: { before: 2, after: 2, removed: [] },
    });
    expect(existsSync(join(place.folder, 'thin', 'onnx', 'model.onnx'))).toBe(true);
  });

  test.each([
    ['nothing to leave out', ['--out', 'new'], 2, 'At least one of --neurons, --heads and --layers'],
    ['a directory that is there', ['--out', 'qwen3', '--neurons', '0.5'], 2, 'is there already'],
    ['a share that is none', ['--out', 'new', '--neurons', '1'], 2, 'at least 0 and below 1'],
    ['all layers', ['--out', 'new', '--layers', '2'], 2, 'Fewer layers than the 2'],
  ])('%s: one sentence and the exit status', (_, args, status, said) => {
    const { stdout, stderr, ...ended } = prune(...args, '--quiet');
    expect({ status: ended.status, stdout, stderr }).toEqual({
      status,
      stdout: '',
      stderr: expect.stringContaining(said),
    });
  });
});
