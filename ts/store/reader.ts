import type { Connection } from './connection.ts';
import { contentHash, DocumentTable, damagedDocument, headCrc } from './documentTable.ts';
import { ModelTable } from './modelTable.ts';
import type { Calls, ChangesHead, RawDocument, RowBatch, SegmentRecord } from './protocol.ts';
import { SCHEMA_VERSION } from './schema.ts';
import type { StoreInfo } from './types.ts';
import { VectorTable } from './vectorTable.ts';
import { readAttributeTypes } from './writer.ts';

/** Bytes of vectors in one slice. */
const SLICE_BYTES = 4 << 20;

/** Every short read. */
export class Reader {
  readonly #connection: Connection;
  readonly #documents: DocumentTable;
  readonly #vectors: VectorTable;
  readonly #models: ModelTable;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#documents = new DocumentTable(connection);
    this.#vectors = new VectorTable(connection);
    this.#models = new ModelTable(connection);
  }

  info(): StoreInfo {
    const connection = this.#connection;
    return connection.snapshot(() => {
      const active = this.#models.find('active');
      const building = this.#models.find('building');
      return {
        path: connection.path,
        schemaVersion: SCHEMA_VERSION,
        generation: connection.counter('generation'),
        documents: connection.counter('documents'),
        rows: active?.liveRows ?? 0,
        ...(active === undefined ? {} : { model: active.model }),
        ...(building === undefined ? {} : { building: building.model }),
        attributes: Object.fromEntries(readAttributeTypes(connection)),
      };
    });
  }

  generation(): number {
    return this.#connection.counter('generation');
  }

  unchanged({ documents }: Calls['unchanged']['args']): boolean[] {
    const active = this.#models.find('active');
    return documents.map((document) => {
      const live = this.#documents.live(document.id);
      return (
        live !== undefined &&
        Buffer.compare(live.hash, contentHash(document)) === 0 &&
        (active === undefined || this.#vectors.has(live.doc, active.key))
      );
    });
  }

  get({ id }: Calls['get']['args']): RawDocument | undefined {
    return this.#documents.byId(id);
  }

  documents({ docs }: Calls['documents']['args']): (RawDocument | undefined)[] {
    return Array.from(docs, (doc) => this.#documents.byKey(doc));
  }

  iterate({ after, limit }: Calls['iterate']['args']): RawDocument[] {
    return this.#documents.page(after, limit);
  }

  missing({ after, limit }: Calls['missing']['args']): RawDocument[] {
    return this.#documents.pageWithout(this.#models.building().key, after, limit);
  }

  changesHead({ since }: Calls['changesHead']['args']): ChangesHead {
    const connection = this.#connection;
    return connection.snapshot(() => {
      const active = this.#models.find('active');
      const generation = connection.counter('generation');
      return {
        generation,
        full: since === 0 || since > generation || since < connection.counter('complete_since'),
        model: active?.model,
        modelKey: active?.key ?? 0,
        lastRow: connection.one<{ last: number | null }>('SELECT max(row) AS last FROM passages')?.last ?? 0,
        segments: connection.all<SegmentRecord & object>(
          'SELECT name, from_row AS "from", to_row AS "to", count, bytes, crc FROM segments ORDER BY from_row',
        ),
      };
    });
  }

  changesRemoved(args: Calls['changesRemoved']['args']): Calls['changesRemoved']['result'] {
    const { since, generation, deleted, doc, limit } = args;
    return this.#connection.snapshot(() => {
      if (this.#connection.counter('complete_since') > since) return undefined;
      const rows = this.#connection.all<{ doc: number; deleted: number }>(
        `SELECT doc, deleted FROM documents WHERE deleted IS NOT NULL AND (deleted, doc) > (?, ?)
          AND deleted <= ? AND created <= ? ORDER BY deleted, doc LIMIT ?`,
        deleted,
        doc,
        generation,
        since,
        limit,
      );
      return { docs: Uint32Array.from(rows, (row) => row.doc), deleted: rows.at(-1)?.deleted ?? deleted };
    });
  }

  changesDocuments(args: Calls['changesDocuments']['args']): Calls['changesDocuments']['result'] {
    const { created, doc, generation, limit } = args;
    // One row of JSON a page: to make an object of each document takes four times as long.
    const page = this.#connection.one<
      Record<'docs' | 'ids' | 'attributes' | 'crcs', string> & { last: number | null }
    >(
      `SELECT json_group_array(doc) AS docs, json_group_array(id) AS ids, json_group_array(attributes) AS attributes,
        json_group_array(crc) AS crcs, max(created) AS last
        FROM (SELECT doc, id, crc, attributes, created FROM documents WHERE (created, doc) > (?, ?) AND created <= ?
          AND (deleted IS NULL OR deleted > ?) ORDER BY created, doc LIMIT ?)`,
      created,
      doc,
      generation,
      generation,
      limit,
    )!;
    const docs = JSON.parse(page.docs) as number[];
    const ids = JSON.parse(page.ids) as string[];
    const attributes = JSON.parse(page.attributes) as string[];
    const crcs = JSON.parse(page.crcs) as number[];
    for (const [i, doc] of docs.entries()) {
      if (headCrc(doc, ids[i]!, attributes[i]!) !== crcs[i]) {
        throw damagedDocument(this.#connection.path, ids[i]!);
      }
    }
    return {
      docs: Uint32Array.from(docs),
      ids: ids.join('\0'),
      attributes: `[${attributes.join()}]`,
      created: page.last ?? created,
    };
  }

  changesRows(args: Calls['changesRows']['args']): RowBatch | undefined {
    const { modelKey, dim } = args;
    return this.#connection.snapshot(() => {
      if (this.#models.find('active')?.key !== modelKey) return undefined;
      if ('docs' in args) return this.#vectors.ofDocuments(modelKey, dim, args.docs);
      const limit = Math.max(1, Math.floor(SLICE_BYTES / (dim * 4)));
      return this.#vectors.range(modelKey, dim, args.after, args.to, limit);
    });
  }
}
