import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BadLine } from '../../../ts/offline/ingest/batches.ts';
import { type IngestProgress, ingest } from '../../../ts/offline/ingest/ingest.ts';
import { MemoryTarget } from './memoryTarget.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-ingest-'));
const data = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const dataTest = existsSync(data) ? test : test.skip;
if (!existsSync(data)) console.warn('Tests with real collections are skipped: there is no ../shared/data.');

let target: MemoryTarget;
beforeEach(() => {
  target = new MemoryTarget();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const jsonLines = (records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `d${i}`, text: `text ${i}` }));

describe('documents', () => {
  test('are typed by the first commit that has the attribute', async () => {
    const records = [
      { id: 'a', text: 'x', metadata: { salary: 10, posted: '2026-03-01', remote: true, tags: ['p', 'q'] } },
      { id: 'b', text: 'y', metadata: { salary: null, place: { lat: 1, lon: 2 }, deep: { er: 'z' } } },
    ];
    const summary = await ingest(target, [file('types.jsonl', jsonLines(records))]);
    expect(summary).toMatchObject({ documents: 2, inserted: 2, badLines: 0, tokens: 2, interrupted: false });
    expect(target.documents.get('a')).toEqual({
      id: 'a',
      text: 'x',
      attributes: { salary: 10, posted: new Date('2026-03-01'), remote: true, tags: ['p', 'q'] },
    });
    expect(target.documents.get('b')?.attributes).toEqual({ place: { lat: 1, lon: 2 }, 'deep.er': 'z' });
  });

  test("keep the index's types, and the user's before those", async () => {
    const path = file('known.csv', 'id,text,code,year,tags\n1,x,12,2024,a;b\n');
    await ingest(target, [path], {
      knownTypes: { code: 'keyword', year: 'number' },
      types: { year: 'keyword', tags: 'set' },
    });
    expect(target.documents.get('1')?.attributes).toEqual({ code: '12', year: '2024', tags: ['a', 'b'] });
  });

  test('with one id: the later stays, in a commit and across commits', async () => {
    const records = [
      { id: 'a', text: '1' },
      { id: 'b', text: '2' },
      { id: 'a', text: '3' },
      { id: 'b', text: '4' },
    ];
    const path = file('twice.jsonl', jsonLines(records));
    expect(await ingest(target, [path], { batchDocuments: 3 })).toMatchObject({
      documents: 4,
      superseded: 1,
      inserted: 2,
      updated: 1,
    });
    expect([...target.documents.values()].map(({ text }) => text).sort()).toEqual(['3', '4']);
  });

  test('come from several files, a BEIR directory and standard input', async () => {
    file('corpus.jsonl', jsonLines([{ _id: 'beir', title: 'T', text: 'x', metadata: {} }]));
    const stdin = Readable.from([Buffer.from('\ufeffid,te'), Buffer.from('xt\nstdin,y\n')]);
    const trec = file('news', '<DOC>\n<DOCNO>trec</DOCNO><TEXT>z</TEXT>\n</DOC>\n');
    await ingest(target, [folder, '-', trec], { stdin });
    expect([...target.documents.keys()]).toEqual(['beir', 'stdin', 'trec']);
  });

  test('an empty file has none', async () => {
    expect(await ingest(target, [file('empty.jsonl', '')])).toMatchObject({ documents: 0, badLines: 0 });
  });

  test('attributes that were asked for and never seen are named', async () => {
    const path = file('unseen.jsonl', jsonLines([{ id: 'a', text: 'x', city: 'Bern', rest: 1 }]));
    const summary = await ingest(target, [path], { attributes: ['city', 'citty'] });
    expect(summary.unseenAttributes).toEqual(['citty']);
    expect(target.documents.get('a')?.attributes).toEqual({ city: 'Bern' });
  });
});

describe('bad lines', () => {
  const content = Buffer.concat([
    Buffer.from(`${JSON.stringify({ id: 'a', text: 'x', n: 1 })}\nnot json\n`),
    Buffer.from([0x7b, 0xff, 0x0a]),
    Buffer.from(jsonLines([{ text: 'no id' }, { id: 'b', text: 'y', n: 2 }])),
  ]);

  test('are reported in order and passed over', async () => {
    const bad: BadLine[] = [];
    const path = file('bad.jsonl', content);
    const summary = await ingest(target, [path], { onBadLine: (line) => bad.push(line) });
    expect(summary).toMatchObject({ documents: 2, badLines: 3 });
    expect(bad.map(({ line }) => line)).toEqual([2, 3, 4]);
    expect(bad.every(({ source }) => source === path)).toBe(true);
  });

  test('a value that does not fit its attribute makes its line bad', async () => {
    const records = [
      ...numbered(3).map((document) => ({ ...document, n: 1 })),
      { id: 'x', text: '', n: 'many' },
    ];
    const bad: BadLine[] = [];
    await ingest(target, [file('misfit.jsonl', jsonLines(records))], {
      batchDocuments: 3,
      onBadLine: (line) => bad.push(line),
    });
    expect(bad).toEqual([
      { source: expect.any(String), line: 4, reason: expect.stringContaining('give --type n=keyword') },
    ]);
    expect(target.documents.size).toBe(3);
  });

  test('strict: what stands before the first one is committed, then it stops', async () => {
    const path = file('strict.jsonl', content);
    await expect(ingest(target, [path], { strict: true })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^Line 2 of .*strict\.jsonl is not JSON: /),
    });
    expect([...target.documents.keys()]).toEqual(['a']);
  });

  test('nothing but bad lines is a failure', async () => {
    const path = file('allBad.jsonl', 'x\ny\n');
    await expect(ingest(target, [path])).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^All 2 lines are bad, and nothing was ingested\. Line 1 of /),
    });
  });

  test.each([
    ['ERR_NOT_FOUND', join(folder, 'nowhere.jsonl')],
    ['ERR_DATA', file('a.gz', Buffer.from([0x1f, 0x8b, 8, 0]))],
    ['ERR_DATA', file('utf16.csv', Buffer.from('\ufeffid', 'utf16le'))],
    ['ERR_DATA', file('array.json', '[{"id":1}]')],
    ['ERR_DATA', file('prose.txt', 'Once upon a time\n')],
  ])('%s for %s', async (code, path) => {
    await expect(ingest(target, [path])).rejects.toMatchObject({ code });
  });
});

describe('an interruption', () => {
  test('ends after the commit under way, and the next run encodes nothing twice', async () => {
    const path = file('resume.jsonl', jsonLines(numbered(100)));
    const controller = new AbortController();
    target.before = (commit) => {
      if (commit === 3) controller.abort(new Error('stop'));
    };
    const first = await ingest(target, [path], { batchDocuments: 10, signal: controller.signal });
    expect(first).toMatchObject({ documents: 30, inserted: 30, interrupted: true });

    target.before = () => {};
    const second = await ingest(target, [path], { batchDocuments: 10 });
    expect(second).toMatchObject({ documents: 100, inserted: 70, unchanged: 30, interrupted: false });
    expect(target.encoded).toEqual(numbered(100).map(({ id }) => id));
  });

  test('does not wait for input that does not come', async () => {
    const controller = new AbortController();
    const stdin = new Readable({ read() {} });
    stdin.push(`${jsonLines(numbered(5))}${' '.repeat(5000)}`);
    const summary = await ingest(target, ['-'], {
      stdin,
      batchDocuments: 2,
      signal: controller.signal,
      onProgress: ({ documents }) => documents === 4 && controller.abort(),
    });
    expect(summary.interrupted).toBe(true);
    expect(summary.documents).toBe(4);
  });

  test('a commit that fails ends the reading and is what is thrown', async () => {
    const stdin = new Readable({ read() {} });
    stdin.push(`${jsonLines(numbered(5))}${' '.repeat(5000)}`);
    const failure = new Error('disk full');
    target.before = (commit) => {
      if (commit === 1) throw failure;
    };
    await expect(ingest(target, ['-'], { stdin, batchDocuments: 2 })).rejects.toBe(failure);
  });

  test('a failure that is not the interruption is thrown although it was interrupted', async () => {
    const controller = new AbortController();
    const failure = new Error('disk full');
    target.before = () => {
      controller.abort();
      throw failure;
    };
    const path = file('both.jsonl', jsonLines(numbered(5)));
    await expect(ingest(target, [path], { signal: controller.signal })).rejects.toBe(failure);
  });
});

test('the next batch is read while the former is committed, and no more than that', async () => {
  const events: string[] = [];
  let read = 0;
  const stdin = Readable.from(
    (function* () {
      yield Buffer.alloc(5000, 0x20);
      for (const document of numbered(6)) {
        events.push(`read ${read++}`);
        yield Buffer.from(jsonLines([document]));
      }
    })(),
    { highWaterMark: 1 },
  );
  target.before = async (commit) => {
    while (commit === 0 && !events.includes('read 1')) await new Promise(setImmediate);
    events.push(`commit ${commit}`);
  };
  await ingest(target, ['-'], { stdin, batchDocuments: 1, format: 'jsonl' });
  // The stream itself looks ahead by two documents.
  expect(events.indexOf('commit 0')).toBeLessThan(events.indexOf('read 4'));
});

test('progress counts what is committed and ends at the whole', async () => {
  const seen: IngestProgress[] = [];
  const path = file('progress.jsonl', jsonLines(numbered(100)));
  await ingest(target, [path], { batchDocuments: 40, onProgress: (progress) => seen.push(progress) });
  expect(seen.map(({ documents }) => documents)).toEqual([0, 40, 40, 80, 80, 100]);
  expect(seen.at(-1)).toEqual({ documents: 100, tokens: 200, fraction: 1 });
});

describe('real collections', () => {
  dataTest('job postings in the BEIR layout', async () => {
    const head = readFileSync(join(data, 'jobs/corpus.jsonl'), 'utf8').split('\n').slice(0, 500).join('\n');
    expect(await ingest(target, [file('jobs.jsonl', head)])).toMatchObject({ documents: 500, badLines: 0 });
    const { attributes, title } = target.documents.get('job00000')!;
    expect(title).toBe('Chief Executive');
    expect(attributes).toMatchObject({
      remote: false,
      salary: 110900,
      posted_at: new Date('2026-03-01'),
      skills: expect.arrayContaining(['Microsoft Excel']),
    });
  });

  dataTest('occupations in CSV with quoted line breaks', async () => {
    const summary = await ingest(target, [join(data, 'esco_en/occupations_en.csv')], {
      id: 'conceptUri',
      title: 'preferredLabel',
      text: ['description', 'altLabels'],
      attributes: ['iscoGroup', 'modifiedDate', 'inScheme'],
      types: { inScheme: 'set' },
    });
    expect(summary).toMatchObject({ documents: 3039, superseded: 0, badLines: 0 });
    const document = [...target.documents.values()].find(({ title }) => title === 'technical director')!;
    expect(document.text).toMatch(
      /^Technical directors realise .* technical and operations director\nhead of/s,
    );
    expect(document.attributes).toMatchObject({
      iscoGroup: '2654', // another group starts with 0, so these are codes
      modifiedDate: new Date('2024-01-25T11:28:50.295Z'),
    });
  });

  dataTest('occupations in TSV named .txt', async () => {
    const summary = await ingest(target, [join(data, 'onet27/Occupation Data.txt')], {
      id: 'O*NET-SOC Code',
      title: 'Title',
      text: ['Description'],
    });
    expect(summary).toMatchObject({ documents: 1016, badLines: 0 });
  });

  dataTest('Cranfield, written as a TREC collection', async () => {
    const documents = readFileSync(join(data, 'cranfield/cran.all.1400'), 'utf8')
      .split(/^\.I /m)
      .slice(1)
      .map((part) => {
        const [id, , , , text] = part.split(/^\.[TABW]$/m).map((field) => field.trim());
        const title = part.split(/^\.[TABW]$/m)[1]!.trim();
        return { id: id!, title, text: text ?? '' };
      });
    const escaped = (value: string) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    const trec = documents.map(
      ({ id, title, text }) =>
        `<DOC>\n<DOCNO>${id}</DOCNO>\n<TITLE>\n${escaped(title)}\n</TITLE>\n<TEXT>\n${escaped(text)}\n</TEXT>\n</DOC>\n`,
    );
    const summary = await ingest(target, [file('cranfield.trec', trec.join(''))]);
    expect(summary.documents + summary.badLines).toBe(1400);
    for (const { id, title, text } of documents) {
      if (text !== '') expect(target.documents.get(id)).toMatchObject({ title, text });
    }
  });
});
