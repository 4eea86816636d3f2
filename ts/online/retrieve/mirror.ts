import { type Bitset, clearBit, hasBit, setBit, zeros } from '../../core/bitset.ts';
import type { FeatureAddend } from '../../core/explanation.ts';
import { lowerBound } from '../../core/lowerBound.ts';
import type { Attributes } from '../../core/types.ts';
import type { Columns } from '../../device/columns.ts';
import type { RowBatch, Rows } from '../../device/device.ts';
import { grown } from '../../device/grown.ts';
import { attributeNumber, type FeatureWeights, scaled } from '../../models/featureWeights.ts';
import type { Change, StoreModel } from '../../store/types.ts';

type RowsChange = Extract<Change, { kind: 'rows' }>;

/**
 * The live state of an index in memory: rows on a device, attribute columns and what connects them. Documents have
 * ordinals in the order of their keys; a row is a passage of one document. Changes are staged and become visible
 * together, in one turn of the event loop, by `publish`; ordinals and rows keep their meaning for ever, so a search
 * under way is not disturbed.
 */
export class Mirror {
  /** Whose vectors the rows are; `undefined` while the index has none. */
  readonly model: StoreModel | undefined;
  readonly columns: Columns;
  readonly rows: Rows | undefined;
  /** What attributes add to a row's score. */
  readonly features: FeatureWeights | undefined;
  /** Generation of the store that is visible. */
  generation = 0;
  /** Documents ever mirrored: ordinals are below it. */
  count = 0;
  /** Live documents by ordinal; replaced, never changed, by `publish`. */
  live: Bitset = zeros(0);
  /** Document key by ordinal, rising. */
  #keys = new Uint32Array();
  /** First row and number of rows by ordinal: the passages of a document stand together. */
  #firstRows = new Uint32Array();
  #rowCounts = new Uint32Array();
  /** Document ordinal by row, and the UTF-16 range of the passage in the document's text. */
  #rowDocuments = new Uint32Array();
  #starts = new Uint32Array();
  #ends = new Uint32Array();
  #rowCount = 0;
  /** The last answer of `keyMask`: without a filter every search asks for the same one. */
  #keyMask = { documents: this.live, mask: zeros(0) };
  /** Staged: documents with ordinals from `count` on, documents to remove, vectors to append. */
  #stagedCount = 0;
  #stagedRemovals: number[] = [];
  #stagedVectors: RowBatch[] = [];

  constructor(
    columns: Columns,
    model?: StoreModel | undefined,
    rows?: Rows | undefined,
    features?: FeatureWeights | undefined,
  ) {
    this.columns = columns;
    this.model = model;
    this.rows = rows;
    this.features = features;
  }

  /** Key of the document with this ordinal. */
  key(ordinal: number): number {
    return this.#keys[ordinal]!;
  }

  /** Ordinal of the document with this key, or -1. */
  ordinal(key: number): number {
    const ordinal = lowerBound(this.#keys, key, this.#stagedCount);
    return ordinal < this.#stagedCount && this.#keys[ordinal] === key ? ordinal : -1;
  }

  /** Ordinal of the document whose passage this row is. */
  rowDocument(row: number): number {
    return this.#rowDocuments[row]!;
  }

  /** Range of this row's passage in its document's text. */
  passage(row: number): { start: number; end: number } {
    return { start: this.#starts[row]!, end: this.#ends[row]! };
  }

  /** A set of documents as a mask over rows. */
  rowMask(documents: Bitset): Bitset {
    const mask = zeros(this.#rowCount);
    for (let row = 0; row < this.#rowCount; row++) {
      if (hasBit(documents, this.#rowDocuments[row]!)) setBit(mask, row);
    }
    return mask;
  }

  /** A set of documents as a mask over keys. */
  keyMask(documents: Bitset): Bitset {
    if (documents === this.#keyMask.documents) return this.#keyMask.mask;
    const mask = zeros(this.count === 0 ? 0 : this.#keys[this.count - 1]! + 1);
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      if (hasBit(documents, ordinal)) setBit(mask, this.#keys[ordinal]!);
    }
    this.#keyMask = { documents, mask };
    return mask;
  }

  stageRemoval(keys: Uint32Array): void {
    for (const key of keys) {
      const ordinal = this.ordinal(key);
      if (ordinal >= 0) this.#stagedRemovals.push(ordinal);
    }
  }

  stageDocuments(keys: Uint32Array, attributes: Attributes[]): void {
    const count = this.#stagedCount + keys.length;
    this.#keys = grown(this.#keys, count, 0);
    this.#firstRows = grown(this.#firstRows, count, 0);
    this.#rowCounts = grown(this.#rowCounts, count, 0);
    keys.forEach((key, i) => {
      this.#keys[this.#stagedCount + i] = key;
      this.columns.set(this.#stagedCount + i, attributes[i]!);
    });
    this.#stagedCount = count;
  }

  /** Vectors are copied; `load` appends them to the device at once, for a mirror that nobody searches yet. */
  async stageRows({ docs, starts, ends, vectors }: RowsChange, load: boolean): Promise<void> {
    const count = this.#rowCount + docs.length;
    this.#rowDocuments = grown(this.#rowDocuments, count, 0);
    this.#starts = grown(this.#starts, count, 0);
    this.#ends = grown(this.#ends, count, 0);
    docs.forEach((key, i) => {
      const row = this.#rowCount + i;
      const ordinal = this.ordinal(key);
      this.#rowDocuments[row] = ordinal;
      if (this.#rowCounts[ordinal]!++ === 0) this.#firstRows[ordinal] = row;
    });
    this.#starts.set(starts, this.#rowCount);
    this.#ends.set(ends, this.#rowCount);
    this.#rowCount = count;
    const features = this.#scaledFeatures(this.#rowDocuments.subarray(count - docs.length, count));
    if (load) await this.rows!.append({ data: vectors, features });
    else this.#stagedVectors.push({ data: vectors.slice(), features });
  }

  /** The weighted attributes of a row's document: `null` where it has none. */
  attributesOf(row: number): FeatureAddend[] {
    const ordinal = this.#rowDocuments[row]!;
    return (this.features?.features ?? []).map((feature) => {
      const value = attributeNumber(this.columns.reader(feature.attribute)(ordinal));
      const addend = Math.fround(feature.weight) * Math.fround(scaled(value, feature));
      const { attribute, weight } = feature;
      return { attribute, value: Number.isNaN(value) ? null : value, weight, addend };
    });
  }

  /** `[documents, features]` of documents by their ordinals, if there are features. */
  #scaledFeatures(ordinals: Uint32Array): Float32Array | undefined {
    if (this.features === undefined) return undefined;
    const { features } = this.features;
    const all = new Float32Array(ordinals.length * features.length);
    for (const [f, feature] of features.entries()) {
      const read = this.columns.reader(feature.attribute);
      for (const [i, ordinal] of ordinals.entries()) {
        all[i * features.length + f] = scaled(attributeNumber(read(ordinal)), feature);
      }
    }
    return all;
  }

  /**
   * Makes what was staged visible. Everything up to the first await happens in one turn, and searches called later
   * see all of it; the promise tells when the device has it, or why it does not.
   */
  async publish(generation: number): Promise<void> {
    const live = zeros(this.#stagedCount);
    live.set(this.live);
    for (let ordinal = this.count; ordinal < this.#stagedCount; ordinal++) setBit(live, ordinal);
    const removed: number[] = [];
    for (const ordinal of this.#stagedRemovals) {
      if (!hasBit(live, ordinal)) continue;
      clearBit(live, ordinal);
      for (let i = 0; i < this.#rowCounts[ordinal]!; i++) removed.push(this.#firstRows[ordinal]! + i);
    }
    const mutations: Promise<unknown>[] = this.#stagedVectors.map((vectors) => this.rows!.append(vectors));
    if (removed.length > 0) mutations.push(this.rows!.remove(removed));
    this.live = live;
    this.count = this.#stagedCount;
    this.generation = generation;
    this.#stagedRemovals = [];
    this.#stagedVectors = [];
    await Promise.all(mutations);
  }
}
