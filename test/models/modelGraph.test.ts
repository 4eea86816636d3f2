import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';

describeWithShared('a model without an ONNX graph', 'models/all-MiniLM-L6-v2', (miniLM) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'seine-model-'));
    for (const name of readdirSync(miniLM)) {
      if (name !== 'model.onnx') symlinkSync(join(miniLM, name), join(folder, name));
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('embeds from its safetensors as from its graph, whatever the batch', async () => {
    const written = await openEncoder(folder);
    const ready = await openEncoder(miniLM);
    const texts = ['This is an example sentence', 'sea', `a long text ${'about rivers '.repeat(60)}`];
    const [got, wanted] = [
      await written.encode(texts, { kind: 'document' }),
      await ready.encode(texts, { kind: 'document' }),
    ];
    const worst = wanted.vectors.reduce((most, x, i) => Math.max(most, Math.abs(x - got.vectors[i]!)), 0);
    expect(worst).toBeLessThan(1e-5);
    expect(got.vectors[0]).toBeCloseTo(0.0676569, 5);
    await Promise.all([written.close(), ready.close()]);
    expect(written.hash).not.toBe(ready.hash);
  });

  test('embeds as llama.cpp does from its GGUF, but for its rounding of GELU', async () => {
    const { texts, vectors } = JSON.parse(
      readFileSync(new URL('../graph/fixtures/llamaCpp.json', import.meta.url), 'utf8'),
    ).miniLM as { texts: string[]; vectors: number[] };
    const encoder = await openEncoder(folder);
    const got = await encoder.encode(texts, { kind: 'document' });
    await encoder.close();
    for (const [text] of texts.entries()) {
      const own = vectors.slice(text * 384, (text + 1) * 384);
      const length = Math.hypot(...own);
      own.forEach((value, i) => {
        expect(Math.abs(value / length - got.vectors[text * 384 + i]!)).toBeLessThan(1e-3);
      });
    }
  });

  test('an embedder is no ranker', async () => {
    await expect(openCrossEncoder(folder)).rejects.toThrow(
      /should be a model for sequence classification, but its architectures are/,
    );
  });
});
