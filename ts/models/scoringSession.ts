import type { WrittenScorer } from '../graph/writeScorer.ts';
import type { Session, Tensor } from './session.ts';

/** Keys and values of what stands before items, as inputs of the graph. */
export interface Past {
  readonly length: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** An item's tokens; of the first, `vectors` `[some of them, hidden]` stand in for the embeddings. */
export interface Item {
  readonly ids: readonly number[];
  readonly vectors?: Float32Array | undefined;
}

/** Runs the graph of `writeScorer`. */
export class ScoringSession {
  readonly #session: Session;
  readonly #layers: readonly number[];
  readonly #hidden: number;
  /** What stands before a text that is read from its beginning. */
  readonly nothing: Past;

  constructor(session: Session, { layers, groups, width, hidden }: WrittenScorer) {
    this.#session = session;
    this.#hidden = hidden;
    this.#layers = Array.from({ length: layers }, (_, layer) => layer);
    const none: Tensor = { type: 'float32', dims: [1, groups, 0, width], data: new Float32Array(0) };
    this.nothing = pastOf(0, this.#layers, () => none);
  }

  /** Reads what stands before items. */
  async read(prefix: readonly number[]): Promise<Past> {
    const outputs = this.#layers.flatMap((layer) => [`keys.${layer}`, `values.${layer}`]);
    const result = await this.#session.run(this.#feeds(this.nothing, [[{ ids: prefix }]]), { outputs });
    return pastOf(prefix.length, this.#layers, (what, layer) => result[`${what}.${layer}`]!);
  }

  /**
   * Logits `[items, words]` after each item, as if it stood alone behind `past`. `rows` hold one item or several, one
   * after the other; shorter rows are padded to the longest.
   */
  async score(past: Past, rows: readonly (readonly Item[])[]): Promise<Float32Array> {
    const { logits } = await this.#session.run(this.#feeds(past, rows), { outputs: ['logits'] });
    return logits!.data as Float32Array;
  }

  #feeds(past: Past, rows: readonly (readonly Item[])[]): Record<string, Tensor> {
    const sequence = Math.max(...rows.map((row) => row.reduce((sum, { ids }) => sum + ids.length, 0)));
    const size = rows.length * sequence;
    const ids = new BigInt64Array(size);
    const positions = new BigInt64Array(size);
    const items = new BigInt64Array(size).fill(-1n);
    const ends: bigint[] = [];
    const places: bigint[] = [];
    const vectors: Float32Array[] = [];
    for (const [row, own] of rows.entries()) {
      let column = 0;
      for (const [number, item] of own.entries()) {
        for (const [i, id] of item.ids.entries()) {
          const at = row * sequence + column + i;
          ids[at] = BigInt(id);
          positions[at] = BigInt(past.length + i);
          items[at] = BigInt(number);
        }
        const overridden = (item.vectors?.length ?? 0) / this.#hidden;
        for (let i = 0; i < overridden; i++) places.push(BigInt(row), BigInt(column + i));
        if (item.vectors !== undefined) vectors.push(item.vectors);
        column += item.ids.length;
        ends.push(BigInt(row), BigInt(column - 1));
      }
    }
    const tokens = (data: BigInt64Array): Tensor => ({ type: 'int64', dims: [rows.length, sequence], data });
    const pairs = (data: bigint[]): Tensor => ({
      type: 'int64',
      dims: [data.length / 2, 2],
      data: BigInt64Array.from(data),
    });
    return {
      input_ids: tokens(ids),
      positions: tokens(positions),
      items: tokens(items),
      ends: pairs(ends),
      vectors: { type: 'float32', dims: [places.length / 2, this.#hidden], data: joined(vectors) },
      places: pairs(places),
      ...past.feeds,
    };
  }
}

function pastOf(
  length: number,
  layers: readonly number[],
  tensor: (what: 'keys' | 'values', layer: number) => Tensor,
): Past {
  const pairs = layers.flatMap((layer) =>
    (['keys', 'values'] as const).map((what) => [`past_${what}.${layer}`, tensor(what, layer)] as const),
  );
  return { length, feeds: Object.fromEntries(pairs) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
