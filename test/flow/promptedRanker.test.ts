import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { open } from '../../ts/open.ts';
import { serve } from '../../ts/serve/serve.ts';
import { main } from '../cli/seine.ts';
import { type Prompted, readFixture, writePrompted } from '../models/promptedFixture.ts';
import { ask } from '../serve/harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-prompted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a language model ranks an index, over the command line and over HTTP', async () => {
  const { pairs, scores } = readFixture<Prompted>('prompted.json');
  const query = pairs[0]![0];
  const own = [0, 1].map((i) => ({ id: `d${i}`, text: pairs[i]![1], score: scores.qwen3![i]! }));
  const best = own[0]!.score > own[1]!.score ? ['d0', 'd1'] : ['d1', 'd0'];
  const ranker = writePrompted(join(folder, 'judge'), 'qwen3');
  const path = join(folder, 'flow.seine');

  const index = await open(path, { ranker, device: 'cpu' });
  await index.upsert(own.map(({ id, text }) => ({ id, text })));
  const { hits } = await index.search(query, { k: 2 });
  expect(hits.map(({ id }) => id)).toEqual(best);
  for (const { id, scores } of hits) expect(scores.ranker).toBeCloseTo(own[Number(id[1])]!.score, 4);
  expect(index.models().ranker).toBe('judge');
  await index.close();

  const searching = ['search', query, '--index', path, '--ranker', ranker, '--json'];
  const { status, stdout } = spawnSync(process.execPath, [main, ...searching], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(JSON.parse(stdout).hits.map(({ id }: { id: string }) => id)).toEqual(best);

  const server = await serve({ index: path, ranker, port: 0, logLevel: 'silent', device: 'cpu' });
  const documents = own.map(({ text }) => text);
  const { body } = await ask(`${server.url}/rank`, { query, documents });
  for (const { index, score } of body.results) expect(score).toBeCloseTo(own[index]!.score, 4);
  await server.close();
}, 60_000);
