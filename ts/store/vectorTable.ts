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

/** Refuses keys that no longer fit in 32 bits. */
export function checkKey(key: number, path: string): number {
  if (key <= LAST_KEY) return key;
  throw new SeineError(
    'ERR_DATA',
    `The index ${path} has used up its ${LAST_KEY} keys: ingest its documents into a new index.`,
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
    for (let index = from; index < to; index++) {
      const bytes = bytesOf(vectors, index);
      const start = vectors.starts[index]!;
      const end = vectors.ends[index]!;
      const row = this.#connection.insert(
        'INSERT INTO passages (doc, model, start, "end", crc, vector) VALUES (?, ?, ?, ?, ?, ?)',
        doc,
        modelKey,
        start,
        end,
        passageCrc(doc, modelKey, start, end, bytes),
        bytes,
      );
      checkKey(row, this.#connection.path);
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
    for (const [index, { row, doc, model, start, stop, vector, crc }] of passages.entries()) {
      if (vector.length !== dim * 4 || passageCrc(doc, model, start, stop, vector) !== crc) {
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

function passageCrc(doc: number, model: number, start: number, end: number, vector: Uint8Array): number {
  return crc32(vector, crc32(`${doc},${model},${start},${end}`));
}
