// Opening an index of WordNet's glosses, up to the first answer, against reading all bytes of its files.
// npm run bench -- open [--quick] [--json]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWordnet } from '../scripts/wordnet.mjs';
import { open } from '../ts/open.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { sample } from './measure/sample.ts';
import { summary } from './measure/summary.ts';
import type { OpenResult } from './report/results.ts';

const flags = readFlags();
const folder = mkdtempSync(join(tmpdir(), 'seine-open-'));
const path = join(folder, 'wordnet.seine');
try {
  const glosses = [...readWordnet()].slice(0, flags.quick ? 5000 : undefined);
  const made = await open(path, { ranker: 'none' });
  for (let at = 0; at < glosses.length; at += 5000) await made.upsert(glosses.slice(at, at + 5000));
  await made.close();
  let bytes = 0;
  const samples = await interleaved(
    {
      open: () =>
        sample(async () => {
          const index = await open(path, { ranker: 'none' });
          await index.close();
        }),
      'open and search': () =>
        sample(async () => {
          const index = await open(path, { ranker: 'none' });
          await index.search('a machine that measures earthquakes', { retrieve: 'dense' });
          await index.close();
        }),
      'read all bytes': () =>
        sample(() => {
          bytes = 0;
          for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
            if (entry.isFile()) bytes += readFileSync(join(entry.parentPath, entry.name)).length;
          }
        }),
    },
    { rounds: flags.quick ? 3 : 11, seconds: 60 },
  );
  const result: OpenResult = {
    ...origin('open'),
    note: 'Milliseconds; the files are in the cache of the system. Opening includes the embedder, and closing.',
    documents: glosses.length,
    bytes,
    ...summary('read all bytes', samples),
  };
  deliver('open', result, flags);
  console.error(result.median, result.ratio);
} finally {
  rmSync(folder, { recursive: true });
}
