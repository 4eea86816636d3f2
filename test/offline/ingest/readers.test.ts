import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csv, tsv } from '../../../ts/offline/ingest/csv.ts';
import { csvRows, type Row } from '../../../ts/offline/ingest/csvRows.ts';
import { jsonl } from '../../../ts/offline/ingest/jsonl.ts';
import { trec } from '../../../ts/offline/ingest/trec.ts';
import { chunked, readAll } from './readAll.ts';

describe('JSONL', () => {
  test('objects come out with their lines; what is none is an error', async () => {
    const entries = await readAll(jsonl, '{"id":1}\r\n\n[1]\n{"id":\n"text"\n{"id":2}');
    expect(entries).toEqual([
      { line: 1, record: { id: 1 } },
      { line: 3, error: 'must hold a JSON object' },
      { line: 4, error: expect.stringMatching(/^is not JSON: /) },
      { line: 5, error: 'must hold a JSON object' },
      { line: 6, record: { id: 2 } },
    ]);
  });
});

describe('CSV', () => {
  test('reads what csv-parse reads', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '1', '"', ',', ';', '\n', ' ', 'é', '𝄞'),
      minLength: 1,
    });
    const row = fc.array(cell, { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(row), fc.constantFrom('\n', '\r\n'), async (rows, end) => {
        const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const file = ['a,b,c', ...rows.map((cells) => cells.map(quoted).join(','))].join(end);
        const expected = parse(file, { columns: true }) as Record<string, string>[];
        const entries = await readAll(csv, file, 5);
        expect(entries.map((entry) => 'record' in entry && entry.record)).toEqual(expected);
      }),
    );
  });

  test('rows keep the number of their first line through quoted line breaks and blank lines', async () => {
    const file = '\ufeffid,text\n1,"one\r\ntwo"\n\n2,"say ""hi"", all"\n3,\n'.slice(1);
    expect(await readAll(csv, file)).toEqual([
      { line: 2, record: { id: '1', text: 'one\ntwo' } },
      { line: 5, record: { id: '2', text: 'say "hi", all' } },
      { line: 6, record: { id: '3' } },
    ]);
  });

  test('semicolons separate where the first row has no comma', async () => {
    expect(await readAll(csv, 'id;text\n1;a,b\n')).toEqual([{ line: 2, record: { id: '1', text: 'a,b' } }]);
  });

  test('bad rows are reported and the next one is read', async () => {
    const file = 'id,text\n1,5" pipe\n2,"a"b\n3\n4,d,e\n5,good\n6,"open\nand\n';
    expect(await readAll(csv, file)).toEqual([
      { line: 2, error: expect.stringContaining('quotation mark inside an unquoted cell') },
      { line: 3, error: expect.stringContaining('text after a quoted one') },
      { line: 4, error: 'has 1 cells; the first row names 2 columns' },
      { line: 5, error: 'has 3 cells; the first row names 2 columns' },
      { line: 6, record: { id: '5', text: 'good' } },
      { line: 7, error: expect.stringContaining('never closed') },
    ]);
  });

  test('a mark after a quoted cell is told from a cell that holds such marks', async () => {
    const file = 'id,text\n1,"""a""b"\n2,"a"b\n3,"a" \n4,""\n5,"",x"\n6,"a""\n';
    expect(await readAll(csv, file, 1)).toEqual([
      { line: 2, record: { id: '1', text: '"a"b' } },
      { line: 3, error: expect.stringContaining('text after a quoted one') },
      { line: 4, error: expect.stringContaining('text after a quoted one') },
      { line: 5, record: { id: '4' } },
      { line: 6, error: expect.stringContaining('quotation mark') },
      { line: 7, error: expect.stringContaining('never closed') },
    ]);
  });

  test('lines are counted through CRLF in cells, blank lines with CRLF and bare CR', async () => {
    const file = '\r\n\r\nid,text\r\n1,"a\r\n\r\nb"\r\n\r\n2,a\rb\r\n3,"c\rd"\r\n4,x"\r\n5,e\r\n';
    for (const chunkBytes of [1, 2, 3, 100]) {
      expect(await readAll(csv, file, chunkBytes)).toEqual([
        { line: 4, record: { id: '1', text: 'a\n\nb' } },
        { line: 8, record: { id: '2', text: 'a\rb' } },
        { line: 9, record: { id: '3', text: 'c\rd' } },
        { line: 10, error: expect.stringContaining('quotation mark') },
        { line: 11, record: { id: '5', text: 'e' } },
      ]);
    }
  });

  test('a CR that ends the file is a cut line break', async () => {
    expect(await readAll(csv, 'id,text\r\n1,"a"\r')).toEqual([{ line: 2, record: { id: '1', text: 'a' } }]);
  });

  test('a quotation mark that is not closed takes no more than the longest row into memory', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id,text\n1,a\n\n2,"open\n');
      for (; ; read++) yield Buffer.alloc(1000, 'x\n');
    }
    const rows: Row[] = [];
    for await (const row of csvRows(endless(), 10_000)) rows.push(row);
    expect(rows).toEqual([
      { line: 1, cells: ['id', 'text'] },
      { line: 2, cells: ['1', 'a'] },
      { line: 4, error: expect.stringContaining('is longer than 10000 bytes') },
    ]);
    expect(read).toBeLessThan(12);
  });

  test('a row of many short cells has the same limit', async () => {
    const rows: Row[] = [];
    const chunks = chunked(Buffer.from(`a,b\n${'1,'.repeat(1000)}\n`), 100);
    for await (const row of csvRows(chunks, 500)) rows.push(row);
    expect(rows[1]).toEqual({ line: 2, error: expect.stringContaining('is longer than 500 bytes') });
  });

  test('bytes are read only as their rows are wanted', async () => {
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; ; read++) yield Buffer.from(`${read},a\n`);
    }
    for await (const row of csvRows(source())) {
      expect(read).toBeLessThanOrEqual(row.line + 4); // csv-parse looks a few bytes ahead
      if (row.line === 200) break;
    }
  });

  test('bytes that are not UTF-8 inside a quoted cell spoil only their row', async () => {
    const bytes = Buffer.from('id,text\n1,"a\n?"\n2,b\n');
    bytes[bytes.indexOf('?')] = 0xff;
    expect(await readAll(csv, bytes)).toEqual([
      { line: 2, error: 'goes on in line 3, which is not valid UTF-8' },
      { line: 4, record: { id: '2', text: 'b' } },
    ]);
  });

  test('a column that is named twice is refused', async () => {
    await expect(readAll(csv, 'id,text,id\n')).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  test('names of columns cannot reach a prototype', async () => {
    const [entry] = await readAll(csv, '__proto__,id\nx,1\n');
    expect(entry).toHaveProperty('record.id', '1');
    expect(Object.getPrototypeOf((entry as { record: object }).record)).toBe(Object.prototype);
  });
});

test('in TSV quotation marks are plain text', async () => {
  expect(await readAll(tsv, 'id\ttext\n1\t5" pipe\n2\t"a\n')).toEqual([
    { line: 2, record: { id: '1', text: '5" pipe' } },
    { line: 3, record: { id: '2', text: '"a' } },
  ]);
});

describe('TREC', () => {
  test('documents of the news collections', async () => {
    const file = `<DOC>
<DOCNO> FT911-1 </DOCNO>
<DATE>910514
</DATE>
<HEADLINE>
FT  14 MAY 91 / Smith &amp; Sons &#8364;5
</HEADLINE>
<TEXT>
<P>First &lt;part&gt;.</P>
</TEXT>
<TEXT>Second.</TEXT>
</DOC>
<doc><docno>2</docno><title>Bare</title>
A body that <b>stands</b> free.
</doc>
`;
    expect(await readAll(trec, file)).toEqual([
      {
        line: 1,
        record: {
          docno: 'FT911-1',
          date: '910514',
          title: 'FT  14 MAY 91 / Smith & Sons €5',
          text: 'First <part>.\nSecond.',
        },
      },
      {
        line: 13,
        record: { docno: '2', title: 'Bare', text: 'A body that  stands  free.' },
      },
    ]);
  });

  test('what is not a document is reported', async () => {
    expect(
      await readAll(trec, 'stray\n<DOC>\n<DOCNO>1</DOCNO>\n<DOC>\n<DOCNO>2</DOCNO>\n</DOC>\n<DOC>\n'),
    ).toEqual([
      { line: 1, error: 'stands outside <DOC> and </DOC>' },
      { line: 2, error: 'opens a <DOC> that is not closed' },
      { line: 4, record: { docno: '2', text: '' } },
      { line: 7, error: 'opens a <DOC> that is not closed' },
    ]);
  });

  test.each(['<p>a', '<p ', '<!-- '])('endless repetition of %p is read', async (part) => {
    const file = `<DOC>\n<DOCNO>1</DOCNO>\n${part.repeat(200_000)}\n</DOC>\n`;
    const [entry] = await readAll(trec, file, 2 ** 16);
    expect(entry).toHaveProperty('record.docno', '1');
  });
});
