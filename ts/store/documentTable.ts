import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { SeineError, show } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { PackedDocument, RawDocument } from './protocol.ts';
import { nextKey } from './vectorTable.ts';

/** Bytes of text after which a page of documents ends. */
const PAGE_BYTES = 8 << 20;
const COLUMNS = 'd.doc, d.id, d.deleted, d.hash, d.crc, d.attributes, d.title, d.text';

interface DocumentRow {
  doc: number;
  id: string;
  deleted: number | null;
  hash: Uint8Array;
  crc: number;
  attributes: string;
  title: Uint8Array;
  text: Uint8Array;
}

/** Versions of documents and the words of the live ones. */
export class DocumentTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Key and content hash of the live version. */
  live(id: string): { doc: number; hash: Uint8Array } | undefined {
    return this.#connection.one('SELECT doc, hash FROM documents WHERE id = ? AND deleted IS NULL', id);
  }

  insert(document: PackedDocument, hash: Uint8Array, generation: number): number {
    const { id, title, text, attributes } = document;
    const doc = nextKey(this.#connection, 'documents');
    this.#connection.run(
      'INSERT INTO documents (doc, id, created, hash, crc, attributes, title, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      doc,
      id,
      generation,
      hash,
      headCrc(doc, id, attributes),
      attributes,
      Buffer.from(title),
      Buffer.from(text),
    );
    this.#connection.run(
      'INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)',
      doc,
      searchable(title),
      searchable(text),
    );
    return doc;
  }

  /** Ends the life of a version; its content stays until it is purged. */
  retire(doc: number, generation: number): void {
    const row = this.#connection.one<DocumentRow>(`SELECT ${COLUMNS} FROM documents d WHERE doc = ?`, doc)!;
    const { title, text } = this.#read(row);
    this.#connection.run(
      "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
      doc,
      searchable(title),
      searchable(text),
    );
    this.#connection.run('UPDATE documents SET deleted = ? WHERE doc = ?', generation, doc);
  }

  byId(id: string): RawDocument | undefined {
    const sql = `SELECT ${COLUMNS} FROM documents d WHERE id = ? AND deleted IS NULL`;
    const row = this.#connection.one<DocumentRow>(sql, id);
    return row && this.#read(row);
  }

  byKey(doc: number): RawDocument | undefined {
    const row = this.#connection.one<DocumentRow>(`SELECT ${COLUMNS} FROM documents d WHERE doc = ?`, doc);
    return row && this.#read(row);
  }

  /** Live documents with keys above `after`, rising. */
  page(after: number, limit: number): RawDocument[] {
    const sql = `SELECT ${COLUMNS} FROM documents d
      WHERE doc > ? AND deleted IS NULL ORDER BY doc LIMIT ?`;
    return this.#page(this.#connection.statement(sql).iterate(after, limit));
  }

  /** Live documents with keys above `after` that have no vectors of a model, rising. */
  pageWithout(modelKey: number, after: number, limit: number): RawDocument[] {
    const sql = `SELECT ${COLUMNS} FROM documents d WHERE doc > ? AND deleted IS NULL
      AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.doc = d.doc AND p.model = ?) ORDER BY doc LIMIT ?`;
    return this.#page(this.#connection.statement(sql).iterate(after, modelKey, limit));
  }

  countWithout(modelKey: number): number {
    const sql = `SELECT count(*) AS count FROM documents d WHERE deleted IS NULL
      AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.doc = d.doc AND p.model = ?)`;
    return this.#connection.one<{ count: number }>(sql, modelKey)!.count;
  }

  #page(rows: Iterable<DocumentRow>): RawDocument[] {
    const page: RawDocument[] = [];
    let bytes = 0;
    for (const row of rows) {
      page.push(this.#read(row));
      bytes += row.text.length;
      if (bytes > PAGE_BYTES) break;
    }
    return page;
  }

  #read(row: DocumentRow): RawDocument {
    const title = Buffer.from(row.title).toString();
    const text = Buffer.from(row.text).toString();
    const { doc, id, attributes } = row;
    const document = { doc, id, title, text, attributes, live: row.deleted === null };
    const whole = Buffer.compare(contentHash(document), row.hash) === 0;
    if (whole && headCrc(doc, id, attributes) === row.crc) return document;
    throw damagedDocument(this.#connection.path, id);
  }
}

/** CRC-32 over what is read of a document without its text. */
export function headCrc(doc: number, id: string, attributes: string): number {
  return crc32(`${doc},${id.length},${id}${attributes}`);
}

/** SHA-256 over all that a user gave. */
export function contentHash(
  document: Pick<PackedDocument, 'id' | 'title' | 'text' | 'attributes'>,
): Uint8Array {
  const { id, title, text, attributes } = document;
  return createHash('sha256')
    .update(`${id.length},${title.length},${text.length},${id}`)
    .update(title)
    .update(text)
    .update(attributes)
    .digest();
}

/** Text as the full-text index takes it: SQLite's text ends at NUL, so NUL becomes a space. */
function searchable(text: string): string {
  return text.replaceAll('\0', ' ');
}

export function damagedDocument(path: string, id: string): SeineError {
  return new SeineError(
    'ERR_CORRUPT',
    `The index ${path} is damaged: document ${show(id)} fails its checksum. Restore a backup or ingest the ` +
      'documents again.',
  );
}
