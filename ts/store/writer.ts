import { SeineError, show } from '../core/errors.ts';
import type { AttributeType } from '../core/types.ts';
import type { Connection } from './connection.ts';
import { contentHash, DocumentTable } from './documentTable.ts';
import { type ModelRow, ModelTable, sameVectors } from './modelTable.ts';
import type { Calls, PackedDocument, PackedPart, PackedVectors } from './protocol.ts';
import type { ActivateResult, DeleteResult, StoreModel, WriteResult } from './types.ts';
import { VectorTable } from './vectorTable.ts';

/** What a write did; `changed` if readers can see a difference, so that the group gets a generation. */
export interface Written<Result> {
  result: Result;
  changed: boolean;
}

/** Every write, inside a transaction that its caller holds. `generation` is that of the group if it changes something. */
export class Writer {
  readonly #connection: Connection;
  readonly #documents: DocumentTable;
  readonly #vectors: VectorTable;
  readonly #models: ModelTable;
  #types = new Map<string, AttributeType>();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#documents = new DocumentTable(connection);
    this.#vectors = new VectorTable(connection);
    this.#models = new ModelTable(connection);
    this.forget();
  }

  /** Reads anew what is kept in memory: needed after a rollback. */
  forget(): void {
    this.#types = readAttributeTypes(this.#connection);
  }

  upsert({ parts }: Calls['upsert']['args'], generation: number): Written<WriteResult> {
    const active = this.#models.find('active');
    const result: WriteResult = { generation, inserted: 0, updated: 0, unchanged: 0 };
    const rows = new Map<number, number>();
    for (const part of parts) this.#upsertPart(part, active, result, rows);
    this.#count(result.inserted, rows);
    const changed = result.inserted + result.updated > 0;
    if (!changed) result.generation = this.#connection.counter('generation');
    return { result, changed };
  }

  /** Adds to `result`, and to `rows` by model. */
  #upsertPart(
    { documents, vectors }: PackedPart,
    active: ModelRow | undefined,
    result: WriteResult,
    rows: Map<number, number>,
  ): void {
    const { generation } = result;
    this.#checkVectors(vectors, active);
    let next = 0;
    for (const [index, document] of documents.entries()) {
      const first = next;
      next += vectors.counts[index]!;
      if (active !== undefined && next === first) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `Document ${show(document.id)} has no passages: an index with a model needs at least one vector each.`,
        );
      }
      const hash = contentHash(document);
      const live = this.#documents.live(document.id);
      const same = live !== undefined && Buffer.compare(live.hash, hash) === 0;
      if (same && (!active || this.#vectors.equal(live.doc, active.key, vectors, first, next))) {
        result.unchanged++;
        continue;
      }
      this.#checkTypes(document);
      if (live === undefined) result.inserted++;
      else {
        result.updated++;
        this.#retire(live.doc, generation, rows);
      }
      const doc = this.#documents.insert(document, hash, generation);
      if (active !== undefined) {
        this.#vectors.insert(doc, active.key, vectors, first, next);
        rows.set(active.key, (rows.get(active.key) ?? 0) + next - first);
      }
    }
  }

  delete({ ids }: Calls['delete']['args'], generation: number): Written<DeleteResult> {
    const rows = new Map<number, number>();
    let deleted = 0;
    for (const id of ids) {
      const live = this.#documents.live(id);
      if (live === undefined) continue;
      this.#retire(live.doc, generation, rows);
      deleted++;
    }
    this.#count(-deleted, rows);
    const changed = deleted > 0;
    return {
      result: { generation: changed ? generation : this.#connection.counter('generation'), deleted },
      changed,
    };
  }

  purge({ generation, limit }: Calls['purge']['args']): Written<number> {
    const connection = this.#connection;
    const dead = connection.all<{ doc: number; deleted: number }>(
      'SELECT doc, deleted FROM documents WHERE deleted IS NOT NULL AND deleted <= ? ORDER BY deleted, doc LIMIT ?',
      generation,
      limit,
    );
    for (const { doc } of dead) {
      connection.run('DELETE FROM passages WHERE doc = ?', doc);
      connection.run('DELETE FROM documents WHERE doc = ?', doc);
    }
    const last = dead.at(-1)?.deleted ?? 0;
    if (last > connection.counter('complete_since')) connection.setCounter('complete_since', last);
    return { result: dead.length, changed: false };
  }

  setModel({ model }: Calls['setModel']['args'], generation: number): Written<undefined> {
    const active = this.#models.find('active');
    if (active !== undefined) {
      if (sameVectors(active.model, model)) return { result: undefined, changed: false };
      throw new SeineError(
        'ERR_MODEL_MISMATCH',
        `The index ${this.#connection.path} was built with ${describe(active.model)}, not with ${describe(model)}: ` +
          'use that model and those options, or embed the index anew (beginModel).',
      );
    }
    if (this.#connection.counter('documents') > 0) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `The index ${this.#connection.path} has documents without vectors: add those with beginModel and addVectors.`,
      );
    }
    this.#models.add(model, 'active');
    this.#connection.setCounter('complete_since', generation);
    return { result: undefined, changed: true };
  }

  beginModel({ model }: Calls['beginModel']['args']): Written<undefined> {
    const building = this.#models.find('building');
    if (building !== undefined) {
      if (sameVectors(building.model, model)) return { result: undefined, changed: false };
      throw new SeineError(
        'ERR_MODEL_MISMATCH',
        `The index ${this.#connection.path} is already being embedded with ${describe(building.model)}, not with ` +
          `${describe(model)}: finish that or call abandonModel.`,
      );
    }
    this.#models.add(model, 'building');
    return { result: undefined, changed: false };
  }

  addVectors({ docs, vectors }: Calls['addVectors']['args']): Written<number> {
    const building = this.#models.building();
    this.#checkVectors(vectors, building);
    let added = 0;
    let rows = 0;
    let next = 0;
    for (const [index, doc] of docs.entries()) {
      const first = next;
      next += vectors.counts[index]!;
      const sql = 'SELECT 1 FROM documents WHERE doc = ? AND deleted IS NULL';
      const live = this.#connection.one(sql, doc) !== undefined;
      if (!live || next === first || this.#vectors.has(doc, building.key)) continue;
      this.#vectors.insert(doc, building.key, vectors, first, next);
      rows += next - first;
      added++;
    }
    this.#models.addLiveRows(building.key, rows);
    return { result: added, changed: false };
  }

  activateModel(_: undefined, generation: number): Written<ActivateResult> {
    const building = this.#models.building();
    const missing = this.#documents.countWithout(building.key);
    if (missing > 0) {
      const now = this.#connection.counter('generation');
      return { result: { generation: now, activated: false, missing }, changed: false };
    }
    const active = this.#models.find('active');
    if (active !== undefined) this.#models.setState(active.key, 'dropped');
    this.#models.setState(building.key, 'active');
    this.#connection.setCounter('complete_since', generation);
    this.#connection.run('DELETE FROM segments');
    return { result: { generation, activated: true, missing: 0 }, changed: true };
  }

  abandonModel(): Written<boolean> {
    const building = this.#models.find('building');
    if (building !== undefined) this.#models.setState(building.key, 'dropped');
    return { result: building !== undefined, changed: false };
  }

  #retire(doc: number, generation: number, rows: Map<number, number>): void {
    for (const { model, count } of this.#vectors.countByModel(doc)) {
      rows.set(model, (rows.get(model) ?? 0) - count);
    }
    this.#documents.retire(doc, generation);
  }

  #count(documents: number, rows: Map<number, number>): void {
    const connection = this.#connection;
    if (documents !== 0) connection.setCounter('documents', connection.counter('documents') + documents);
    for (const [model, change] of rows) this.#models.addLiveRows(model, change);
  }

  #checkVectors({ dim, data, starts }: PackedVectors, row: ModelRow | undefined): void {
    if (starts.length === 0) return;
    if (row === undefined) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `The index ${this.#connection.path} has no model: call setModel before documents with vectors.`,
      );
    }
    if (dim !== row.model.dim) {
      throw new SeineError(
        'ERR_DIMENSION',
        `Vectors of ${row.model.name} must have ${row.model.dim} numbers, got ${dim}: encode with that model.`,
      );
    }
    for (let index = 0; index < data.length; index++) {
      const value = data[index]!;
      if (value - value === 0) continue;
      throw new SeineError(
        'ERR_NOT_FINITE',
        `Vectors must be finite, number ${index % dim} of vector ${Math.floor(index / dim)} is ${value}.`,
      );
    }
  }

  #checkTypes({ id, types }: PackedDocument): void {
    for (const [name, type] of types) {
      const known = this.#types.get(name);
      if (known === undefined) {
        this.#connection.run('INSERT INTO attributes VALUES (?, ?)', name, type);
        this.#types.set(name, type);
      } else if (known !== type) {
        throw new SeineError(
          'ERR_ATTRIBUTE_TYPE',
          `Document ${show(id)}: attribute ${show(name)} is a ${type}, but the index has it as a ${known}: convert ` +
            'the value or use another name.',
        );
      }
    }
  }
}

export function readAttributeTypes(connection: Connection): Map<string, AttributeType> {
  const rows = connection.all<{ name: string; type: AttributeType }>('SELECT name, type FROM attributes');
  return new Map(rows.map(({ name, type }) => [name, type]));
}

function describe(model: StoreModel): string {
  const { name, hash, dim, maxTokens, passages } = model;
  return `${name} (hash ${hash.slice(0, 12)}, dimension ${dim}, ${maxTokens} tokens, passages ${passages})`;
}
