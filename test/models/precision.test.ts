import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';
import { writePrompted } from './promptedFixture.ts';
import { tinyRanker, withFolder, writeModel } from './tinyModel.ts';

const documents = ['sea', 'a river '.repeat(30), 'The sea is deep.', '', 'sea'];

test('codes change scores a little, the same in every batch, and the hash', async () => {
  await withFolder(async (folder) => {
    const directory = writePrompted(join(folder, 'judge'), 'qwen3');
    const exact = await openCrossEncoder(directory, { threads: 1 });
    const { scores: wanted } = await exact.score('river', documents);
    await exact.close();
    for (const [precision, most] of [
      ['q8', 0.02],
      ['q4', 0.3],
    ] as const) {
      const ranker = await openCrossEncoder(directory, { precision, threads: 1 });
      expect(ranker.hash).not.toBe(exact.hash);
      const { scores } = await ranker.score('river', documents);
      const worst = Math.max(...scores.map((score, i) => Math.abs(score - wanted[i]!)));
      expect(worst).toBeGreaterThan(0);
      expect(worst).toBeLessThan(most);
      for (const [i, document] of documents.entries()) {
        const alone = await ranker.score('river', [document]);
        expect(Math.abs(alone.scores[0]! - scores[i]!)).toBeLessThan(1e-5);
      }
      await ranker.close();
    }
  });
});

test('what cannot be had is refused', async () => {
  await withFolder(async (folder) => {
    const ready = writeModel(join(folder, 'ready'), tinyRanker());
    await expect(openCrossEncoder(ready, { precision: 'q8' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/precision q8 needs a model that opens from its weights/),
    });
    await expect(openCrossEncoder(ready, { precision: 'int8' as never })).rejects.toThrow(
      /precision must be one of f32, q8, q4, got "int8"/,
    );
  });
});

describeWithShared('MiniLM in codes', 'models/all-MiniLM-L6-v2', (miniLM) => {
  test('vectors keep their direction and do not depend on the batch', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seine-precision-'));
    for (const name of readdirSync(miniLM)) {
      if (name !== 'model.onnx') symlinkSync(join(miniLM, name), join(folder, name));
    }
    const texts = ['A nurse who works at night', 'x', 'about rivers and seas '.repeat(20)];
    const exact = await openEncoder(folder);
    const { vectors: wanted } = await exact.encode(texts, { kind: 'document' });
    for (const [precision, least] of [
      ['q8', 0.999],
      ['q4', 0.9],
    ] as const) {
      const encoder = await openEncoder(folder, { precision });
      const { vectors } = await encoder.encode(texts, { kind: 'document' });
      for (const [i, text] of texts.entries()) {
        const own = vectors.slice(i * 384, (i + 1) * 384);
        const cosine = own.reduce((sum, x, j) => sum + x * wanted[i * 384 + j]!, 0);
        expect(cosine).toBeGreaterThan(least);
        const alone = await encoder.encode([text], { kind: 'document' });
        for (const [j, x] of alone.vectors.entries()) expect(Math.abs(x - own[j]!)).toBeLessThan(1e-5);
      }
      await encoder.close();
    }
    await exact.close();
    rmSync(folder, { recursive: true });
  }, 60_000);
});
