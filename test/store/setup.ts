import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { Store } from '../../ts/store/store.ts';
import type { Change, EncodedDocument, StoreModel, StoreOptions } from '../../ts/store/types.ts';

export const DIM = 4;
export const MODEL: StoreModel = { name: 'm', hash: 'hash-m', dim: DIM, maxTokens: 16, passages: true };

const directory = mkdtempSync(join(tmpdir(), 'seine-store-'));
let files = 0;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A path in a directory that is removed after the tests of the file. */
export function freshPath(): string {
  files++;
  return join(directory, `${files}.seine`);
}

export async function openWithModel(path: string, options: StoreOptions = {}): Promise<Store> {
  const store = await Store.open(path, options);
  await store.setModel(MODEL);
  return store;
}

/** A document with `count` passages whose vectors hold `value`. */
export function encoded(id: string, text: string, value = 1, count = 1): EncodedDocument {
  const passages = Array.from({ length: count }, (_, i) => ({
    start: 0,
    end: text.length,
    vector: new Float32Array(DIM).fill(value + i / 8),
  }));
  return { id, text, passages };
}

/** A copy in memory that follows `changes`. */
export class Mirror {
  generation = 0;
  resets = 0;
  model: StoreModel | undefined;
  readonly documents = new Map<number, { id: string; attributes: object }>();
  readonly rows = new Map<number, { doc: number; start: number; end: number; vector: number[] }>();

  async follow(store: Store): Promise<void> {
    for await (const change of store.changes(this.generation)) this.apply(change);
  }

  apply(change: Change): void {
    if (change.kind === 'reset') {
      this.resets++;
      this.model = change.model;
      this.documents.clear();
      this.rows.clear();
    } else if (change.kind === 'removed') {
      const removed = new Set(change.docs);
      for (const doc of removed) this.documents.delete(doc);
      for (const [row, { doc }] of this.rows) if (removed.has(doc)) this.rows.delete(row);
    } else if (change.kind === 'documents') {
      change.docs.forEach((doc, i) => {
        if (this.documents.has(doc)) throw new Error(`document ${doc} came twice`);
        this.documents.set(doc, { id: change.ids[i]!, attributes: change.attributes[i]! });
      });
    } else if (change.kind === 'rows') {
      change.rows.forEach((row, i) => {
        const doc = change.docs[i]!;
        if (this.rows.has(row)) throw new Error(`row ${row} came twice`);
        if (!this.documents.has(doc)) throw new Error(`row ${row} came before its document ${doc}`);
        const vector = [...change.vectors.subarray(i * change.dim, (i + 1) * change.dim)];
        this.rows.set(row, { doc, start: change.starts[i]!, end: change.ends[i]!, vector });
      });
    } else this.generation = change.generation;
  }

  /** id -> first number of each vector, sorted by id. */
  contents(): Record<string, number[]> {
    const byDoc = new Map<number, number[]>();
    for (const { doc, vector } of this.rows.values()) {
      byDoc.set(doc, [...(byDoc.get(doc) ?? []), vector[0]!]);
    }
    const entries = [...this.documents].map(([doc, { id }]) => [id, byDoc.get(doc) ?? []] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
