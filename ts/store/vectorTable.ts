import { crc32 } from 'node:zlib';
import { SeineError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { PackedVectors, RowBatch } from './protocol.ts';

/** Keys travel as uint32; the last one means "none". */
const LAST_KEY = 0xfffffffe;
const COLUMNS = 'row, doc, model, start, "end" AS stop, crc, vector';

interface PassageRow {
  row: number;
  doc: number;
  model: number;
  start: number;
  stop: number;
  crc: number;
  vector: Uint8Array;
}

/** The key that the next row of a table gets: one that was never given before. Checksums cover keys. */
export function nextKey(connection: Connection, table: 'documents' | 'passages'): number {
  const column = table === 'documents' ? 'doc' : 'row';
  const { last } = connection.one<{ last: number }>(
    `SELECT max(coalesce((SELECT max(${column}) FROM ${table}), 0),
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${table}'), 0)) AS last`,
  )!;
  if (last < LAST_KEY) return last + 1;
  throw new SeineError(
    'ERR_DATA',
    `The index ${connection.path} has used up its ${LAST_KEY} keys: ingest its documents into a new index.`,
  );
}

/** Passages and their vectors. */
export class VectorTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Inserts the passages `[from, to)` of `vectors` for document `doc`. */
  insert(doc: number, modelKey: number, vectors: PackedVectors, from: number, to: number): void {
    const firstRow = nextKey(this.#connection, 'passages');
    for (let index = from; index < to; index++) {
      const row = firstRow + index - from;
      const vector = bytesOf(vectors, index);
      const passage = {
        row,
        doc,
        model: modelKey,
        start: vectors.starts[index]!,
        stop: vectors.ends[index]!,
        vector,
      };
      this.#connection.run(
        'INSERT INTO passages (row, doc, model, start, "end", crc, vector) VALUES (?, ?, ?, ?, ?, ?, ?)',
        row,
        doc,
        modelKey,
        passage.start,
        passage.stop,
        passageCrc(passage),
        vector,
      );
    }
  }

  /** Does document `doc` have exactly the passages `[from, to)` of `vectors`? */
  equal(doc: number, modelKey: number, vectors: PackedVectors, from: number, to: number): boolean {
    const stored = this.#ofDocument(doc, modelKey);
    return (
      stored.length === to - from &&
      stored.every((passage, i) => {
        const index = from + i;
        const bytes = bytesOf(vectors, index);
        return (
          passage.start === vectors.starts[index] &&
          passage.stop === vectors.ends[index] &&
          Buffer.compare(passage.vector, bytes) === 0
        );
      })
    );
  }

  has(doc: number, modelKey: number): boolean {
    const sql = 'SELECT 1 FROM passages WHERE doc = ? AND model = ? LIMIT 1';
    return this.#connection.one(sql, doc, modelKey) !== undefined;
  }

  /** Vectors of a document by model. */
  countByModel(doc: number): { model: number; count: number }[] {
    return this.#connection.all(
      'SELECT model, count(*) AS count FROM passages WHERE doc = ? GROUP BY model',
      doc,
    );
  }

  /** Rows of a model with keys in (`after`, `to`], rising, at most `limit`. */
  range(modelKey: number, dim: number, after: number, to: number, limit: number): RowBatch {
    const rows = this.#connection.all<PassageRow>(
      `SELECT ${COLUMNS} FROM passages WHERE row > ? AND row <= ? AND model = ? ORDER BY row LIMIT ?`,
      after,
      to,
      modelKey,
      limit,
    );
    return this.#batch(rows, dim);
  }

  /** Rows of a model that belong to the documents `docs`. */
  ofDocuments(modelKey: number, dim: number, docs: Uint32Array): RowBatch {
    const rows = Array.from(docs, (doc) => this.#ofDocument(doc, modelKey)).flat();
    return this.#batch(rows, dim);
  }

  #ofDocument(doc: number, modelKey: number): PassageRow[] {
    const sql = `SELECT ${COLUMNS} FROM passages WHERE doc = ? AND model = ? ORDER BY row`;
    return this.#connection.all<PassageRow>(sql, doc, modelKey);
  }

  #batch(passages: PassageRow[], dim: number): RowBatch {
    const batch: RowBatch = {
      rows: Uint32Array.from(passages, (passage) => passage.row),
      docs: Uint32Array.from(passages, (passage) => passage.doc),
      starts: Uint32Array.from(passages, (passage) => passage.start),
      ends: Uint32Array.from(passages, (passage) => passage.stop),
      vectors: new Float32Array(passages.length * dim),
    };
    const bytes = new Uint8Array(batch.vectors.buffer);
    for (const [index, passage] of passages.entries()) {
      const { row, vector, crc } = passage;
      if (vector.length !== dim * 4 || passageCrc(passage) !== crc) {
        throw new SeineError(
          'ERR_CORRUPT',
          `The index ${this.#connection.path} is damaged: the vector of row ${row} fails its checksum. ` +
            'Restore a backup or ingest the documents again.',
        );
      }
      bytes.set(vector, index * dim * 4);
    }
    return batch;
  }
}

function bytesOf(vectors: PackedVectors, index: number): Uint8Array {
  const { data, dim } = vectors;
  return new Uint8Array(data.buffer, data.byteOffset + index * dim * 4, dim * 4);
}

function passageCrc({ row, doc, model, start, stop, vector }: Omit<PassageRow, 'crc'>): number {
  return crc32(vector, crc32(`${row},${doc},${model},${start},${stop}`));
}
