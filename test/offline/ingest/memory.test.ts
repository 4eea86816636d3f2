import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';

const ingestModule = pathToFileURL('dist/offline/ingest/ingest.js').href;

/** Streams `megabytes` of generated documents through the reader and prints what it saw. */
const script = (format: 'jsonl' | 'csv', megabytes: number) => `
  import { Readable } from 'node:stream';
  import { ingest } from ${JSON.stringify(ingestModule)};
  let made = 0;
  let bytes = 0;
  function* chunks() {
    if (${format === 'csv'}) yield Buffer.from('id,text,city\\n');
    while (bytes < ${megabytes * 1e6}) {
      let chunk = '';
      for (let i = 0; i < 100; i++) {
        const text = 'word "' + made + '", and\\nmore '.repeat(80);
        chunk += ${format === 'csv'}
          ? made + ',"' + text.replaceAll('"', '""') + '",Bern\\n'
          : JSON.stringify({ id: made, text, city: 'Bern' }) + '\\n';
        made++;
      }
      bytes += chunk.length;
      yield Buffer.from(chunk);
    }
  }
  let rssAtQuarter = 0;
  let rssMost = 0;
  const target = {
    async upsert(documents) {
      await new Promise(setImmediate);
      const { rss } = process.memoryUsage();
      if (bytes < ${megabytes * 0.25e6}) rssAtQuarter = Math.max(rssAtQuarter, rss);
      rssMost = Math.max(rssMost, rss);
      return { inserted: documents.length, updated: 0, unchanged: 0, tokens: 0, truncated: 0 };
    },
  };
  const options = { stdin: Readable.from(chunks(), { objectMode: true, highWaterMark: 1 }), format: '${format}' };
  const { documents, badLines } = await ingest(target, ['-'], options);
  console.log(JSON.stringify({ documents, badLines, made, grown: (rssMost - rssAtQuarter) / 1e6 }));
`;

test.each([
  ['jsonl', 200],
  ['csv', 200],
] as const)(
  '%s: memory does not grow with %d MB of input',
  (format, megabytes) => {
    const args = ['--max-old-space-size=64', '--input-type=module', '--eval', script(format, megabytes)];
    const { documents, badLines, made, grown } = JSON.parse(
      execFileSync(process.execPath, args, { encoding: 'utf8' }),
    );
    expect({ documents, badLines }).toEqual({ documents: made, badLines: 0 });
    expect(grown).toBeLessThan(150);
  },
  180_000,
);
