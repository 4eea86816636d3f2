import { Columns } from '../../device/columns.ts';
import type { Device } from '../../device/device.ts';
import type { FeatureWeights } from '../../models/featureWeights.ts';
import type { Store } from '../../store/store.ts';
import type { StoreModel } from '../../store/types.ts';
import { Mirror } from './mirror.ts';

/** Rows of removed documents that are worth loading everything anew, if they are also half of all rows. */
const WASTED_ROWS = 10_000;

/** Keeps a mirror of the store in memory and on the device in step with the store. */
export class Collection {
  readonly device: Device;
  /** What attributes add to scores under the embedder whose vectors are loaded next. */
  features: FeatureWeights | undefined;
  readonly #store: Store;
  #mirror = new Mirror(new Columns());
  /** The mirror may hold what was staged by halves: it serves, but cannot follow. */
  #torn = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: Store, device: Device, features: FeatureWeights | undefined) {
    this.#store = store;
    this.device = device;
    this.features = features;
  }

  /** What searches see now: hold on to it for the length of a search. */
  get mirror(): Mirror {
    return this.#mirror;
  }

  /** Makes everything visible that the store had committed when this was called. */
  catchUp(): Promise<void> {
    const next = this.#queue.then(async () => {
      if (this.#torn || (await this.#store.generation()) !== this.#mirror.generation) await this.#follow();
    });
    this.#queue = next.catch(() => {}); // the caller hears of it; the next one tries again
    return next;
  }

  /** Frees the device's rows once searches under way are done. */
  async close(): Promise<void> {
    await this.#queue;
    await this.#mirror.rows?.dispose();
  }

  async #follow(): Promise<void> {
    let mirror = this.#mirror;
    const since = this.#torn || isWasteful(mirror) ? 0 : mirror.generation;
    try {
      for await (const change of this.#store.changes(since)) {
        switch (change.kind) {
          case 'reset':
            if (mirror !== this.#mirror) await mirror.rows?.dispose();
            mirror = await this.#emptyMirror(change.model);
            break;
          case 'removed':
            mirror.stageRemoval(change.docs);
            break;
          case 'documents':
            mirror.stageDocuments(change.docs, change.attributes);
            break;
          case 'rows':
            await mirror.stageRows(change, mirror !== this.#mirror);
            break;
          case 'end':
            await this.#show(mirror, change.generation);
            break;
        }
      }
    } catch (error) {
      // What is staged by halves must not be published by a later attempt: that one loads everything anew.
      this.#torn = true;
      if (mirror !== this.#mirror) await mirror.rows?.dispose();
      throw error;
    }
  }

  async #show(mirror: Mirror, generation: number): Promise<void> {
    const old = this.#mirror;
    const published = mirror.publish(generation);
    this.#mirror = mirror;
    // Not awaited: it waits for searches over the old rows, and a search may be waiting for this. A device that
    // cannot free them is broken, and the next search says so.
    if (old !== mirror) old.rows?.dispose().catch(() => {});
    await published;
    this.#torn = false;
  }

  async #emptyMirror(model: StoreModel | undefined): Promise<Mirror> {
    const columns = new Columns();
    const { attributes } = await this.#store.info();
    for (const [name, type] of Object.entries(attributes)) columns.declare(name, type);
    if (model === undefined) return new Mirror(columns);
    const { device, features } = this;
    const none = new Float32Array();
    const rows = await device.upload(
      { data: none, features: features && none },
      { dim: model.dim, metric: 'cosine', dtype: 'f32', features: features?.features.length },
    );
    return new Mirror(columns, model, rows, features);
  }
}

function isWasteful({ rows }: Mirror): boolean {
  if (rows === undefined) return false;
  const removed = rows.count - rows.live;
  return removed > WASTED_ROWS && removed > rows.live;
}
