import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { open, openEmbedder } from '../../ts/open.ts';
import { freshPath, ids } from './setup.ts';

const embedded = fileURLToPath(new URL('../../models/seine-embed-small', import.meta.url));

/** Another model of the same dimension: the embedded one under another hash, which only its own index may use. */
function anotherModel(): string {
  const directory = freshPath();
  cpSync(embedded, directory, { recursive: true });
  const path = join(directory, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), copy: true }));
  return directory;
}

const documents = Array.from({ length: 600 }, (_, i) => ({
  id: `d${i}`,
  title: `Vessel number ${i}`,
  text: `A boat with ${i} oars, of the kind that sails along the coast.`,
}));

test('an index is embedded anew while it serves, and loses no write', async () => {
  const path = freshPath();
  const index = await open(path, { ranker: 'none' });
  await index.upsert(documents);
  const before = (await index.info()).model!;
  const { encoder, model } = await openEmbedder(anotherModel());
  expect(model.hash).not.toBe(before.hash);
  expect(model.dim).toBe(before.dim);

  let done = false;
  const reembedding = index.reembed(encoder, model).finally(() => {
    done = true;
  });
  await expect(index.reembed(encoder, model)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  const writing = (async () => {
    let writes = 0;
    while (!done || writes < 3) {
      await index.upsert([
        { id: `new${writes}`, text: `A submarine of model ${writes}.` },
        { id: 'd7', text: `A hovercraft, version ${writes}.` },
      ]);
      writes++;
    }
    return writes;
  })();
  let searches = 0;
  while (!done || searches < 3) {
    for (const retrieve of ['dense', 'bm25', 'fused'] as const) {
      const { hits } = await index.search('vessel number 300 boat with 300 oars', { k: 5, retrieve });
      expect(hits[0]!.id).toBe('d300');
    }
    searches++;
  }
  const result = await reembedding;
  expect(result.documents).toBeGreaterThanOrEqual(documents.length);
  expect(result.tokens).toBeGreaterThan(documents.length);
  const writes = await writing;

  const info = await index.info();
  expect(info.model).toMatchObject({ hash: model.hash });
  expect(info).not.toHaveProperty('building');
  expect(info.rows).toBe(documents.length + writes);
  const all = (await index.search('boat', { k: 2000, retrieve: 'dense' })).hits;
  expect(all.length).toBe(documents.length + writes);
  const last = await index.search('hovercraft', { k: 1, retrieve: 'dense' });
  expect(last.hits[0]).toMatchObject({ id: 'd7', snippet: `A hovercraft, version ${writes - 1}.` });
  await index.close();

  await using again = await open(path, { ranker: 'none' });
  expect((await again.info()).model).toMatchObject({ hash: model.hash });
  expect(ids((await again.search('boat', { k: 2000, retrieve: 'dense' })).hits)).toEqual(ids(all));
});

test('an attempt that was interrupted goes on with its model, or gives way to another', async () => {
  const path = freshPath();
  await using index = await open(path, { ranker: 'none' });
  await index.upsert(documents);
  const first = await openEmbedder(anotherModel());
  const reason = new Error('the user left');
  const controller = new AbortController();
  const stopped = index.reembed(first.encoder, first.model, {
    signal: controller.signal,
    onProgress: ({ texts }) => texts > 256 && controller.abort(reason),
  });
  await expect(stopped).rejects.toBe(reason);
  expect((await index.info()).building).toMatchObject({ hash: first.model.hash });
  expect((await index.search('vessel number 300', { k: 1 })).hits[0]!.id).toBe('d300');
  await first.encoder.close();

  const other = await openEmbedder(embedded, { passages: true });
  expect(await index.reembed(other.encoder, other.model)).toMatchObject({ documents: documents.length });
  expect((await index.info()).model).toMatchObject({ passages: true });
  expect((await index.search('vessel number 300', { k: 1 })).hits[0]!.id).toBe('d300');
});

test('a reader with the former model is told to open the index anew', async () => {
  const path = freshPath();
  await using index = await open(path, { ranker: 'none' });
  await index.upsert(documents.slice(0, 10));
  await using reader = await open(path, { ranker: 'none', readonly: true });
  expect((await reader.search('boat')).hits.length).toBe(10);
  const { encoder, model } = await openEmbedder(anotherModel());
  await index.reembed(encoder, model);
  await expect(reader.search('boat')).rejects.toMatchObject({ code: 'ERR_MODEL_MISMATCH' });
  expect((await reader.search('boat', { retrieve: 'bm25' })).hits.length).toBe(10);
});
