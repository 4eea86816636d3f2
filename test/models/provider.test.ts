import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { copyFamily, disagreement } from './familyModel.ts';
import { type Prompted, readFixture, writePrompted } from './promptedFixture.ts';
import { withFolder } from './tinyModel.ts';

/** A GPU, real or software, that Vulkan finds for tests; `npm test` brings one. */
const withGpu = process.env.VK_ICD_FILENAMES === undefined ? describe.skip : describe;
/** A software adapter compiles shaders slowly, and slower still where other work runs. */
const PATIENCE_MS = 300_000;
const { pairs } = readFixture<Prompted>('prompted.json');
const [query] = pairs[0]!;
const documents = pairs.map(([, document]) => document);

async function scores(folder: string, provider: 'cpu' | 'webgpu') {
  const ranker = await openCrossEncoder(folder, { provider });
  try {
    return (await ranker.score(query, documents)).scores;
  } finally {
    await ranker.close();
  }
}

withGpu('models on the execution provider webgpu', () => {
  test(
    'an embedder has the vectors that it has on cpu',
    async () => {
      await withFolder(async (folder) => {
        const gguf = fileURLToPath(new URL('../graph/fixtures/bertGguf/F32.gguf', import.meta.url));
        copyFileSync(gguf, join(folder, 'model.gguf'));
        const texts = ['a river runs to the sea', 'night shift nurse', 'walked'];
        const [wanted, got] = await Promise.all(
          (['cpu', 'webgpu'] as const).map(async (provider) => {
            const encoder = await openEncoder(folder, { provider });
            const { vectors } = await encoder.encode(texts, { kind: 'document' });
            await encoder.close();
            return vectors;
          }),
        );
        expect(disagreement(got!, wanted!)).toBeLessThan(1e-5);
      });
    },
    PATIENCE_MS,
  );

  test.each([
    ['bert', copyFamily],
    ['modernBert', copyFamily],
    [
      'llama, what stands before its documents shared',
      (_: string, folder: string) => writePrompted(folder, 'llama'),
    ],
    [
      'qwen3, what stands before its documents shared',
      (_: string, folder: string) => writePrompted(folder, 'qwen3'),
    ],
  ])(
    'a ranker has the scores that it has on cpu: %s',
    async (name, write) => {
      await withFolder(async (folder) => {
        write(name, folder);
        expect(disagreement(await scores(folder, 'webgpu'), await scores(folder, 'cpu'))).toBeLessThan(1e-4);
      });
    },
    PATIENCE_MS,
  );
});

test('a provider that is not there is an error with what to do', async () => {
  await withFolder(async (folder) => {
    copyFamily('bert', folder);
    await expect(openCrossEncoder(folder, { provider: 'cuda' })).rejects.toMatchObject({
      code: 'ERR_DEVICE_UNAVAILABLE',
      message: expect.stringMatching(
        /execution provider cuda should be available but is not .*or use provider cpu/,
      ),
    });
  });
});
