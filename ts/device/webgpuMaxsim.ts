import { forEachBit } from '../core/bitset.ts';
import type { Pairs } from '../core/types.ts';
import type { Found, MaxsimPairs, MaxsimTask } from './device.ts';
import { pacer } from './pacer.ts';
import { BestRows } from './reference/bestRows.ts';
import { drain } from './reference/scan.ts';

/** Exact inner products of pairs of a query's token and a row, from the device. */
type Products = (pairs: Pairs) => Promise<Float64Array>;

/** Products of a batch, unless one document alone has more. */
const MOST_PRODUCTS = 2 ** 18;

/** The k best documents, each of which is scored exactly. */
export async function maxsimOnGpu(products: Products, task: MaxsimTask): Promise<Found> {
  const { q, k, signal } = task;
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const pause = pacer(signal);
  const rows = passingDocuments(task);
  for (let query = 0; query < q; query++) {
    const pairs = { queries: new Uint32Array(rows.length).fill(query), rows };
    const scores = await maxsimPairsOnGpu(products, { ...task, pairs }, signal);
    const best = new BestRows(k, false);
    for (let i = 0; i < rows.length; i++) best.offer(rows[i]!, scores[i]!);
    await drain(best, found, query * k, pause);
  }
  return found;
}

/** The canonical scores of pairs of a query and a document: the host takes the best products and adds them up. */
export async function maxsimPairsOnGpu(
  products: Products,
  { pairs, offsets, documents }: MaxsimPairs,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const scores = new Float32Array(pairs.rows.length);
  const tokensOf = (pair: number) => spanOf(offsets!, pairs.queries[pair]!);
  const rowsOf = (pair: number) => spanOf(documents, pairs.rows[pair]!);
  for (let from = 0; from < scores.length; ) {
    signal?.throwIfAborted();
    let [to, count] = [from, 0];
    while (to < scores.length) {
      const more = tokensOf(to).length * rowsOf(to).length;
      if (to > from && count + more > MOST_PRODUCTS) break;
      count += more;
      to++;
    }
    const asked = { queries: new Uint32Array(count), rows: new Uint32Array(count) };
    let at = 0;
    for (let pair = from; pair < to; pair++) {
      const [tokens, rows] = [tokensOf(pair), rowsOf(pair)];
      for (let token = tokens.first; token < tokens.first + tokens.length; token++) {
        for (let row = rows.first; row < rows.first + rows.length; row++) {
          asked.queries[at] = token;
          asked.rows[at++] = row;
        }
      }
    }
    const exact = count === 0 ? new Float64Array() : await products(asked);
    at = 0;
    for (let pair = from; pair < to; pair++) {
      let sum = 0;
      for (let token = 0; token < tokensOf(pair).length; token++) {
        let best = Number.NEGATIVE_INFINITY;
        for (let row = 0; row < rowsOf(pair).length; row++) best = Math.max(best, exact[at++]!);
        sum += best;
      }
      scores[pair] = Math.fround(sum) + 0;
    }
    from = to;
  }
  return scores;
}

const spanOf = (offsets: Uint32Array, item: number): { first: number; length: number } => ({
  first: offsets[item]!,
  length: offsets[item + 1]! - offsets[item]!,
});

function passingDocuments({ rows, allowed, count, passing }: MaxsimTask): Uint32Array {
  if (rows !== undefined) return rows;
  if (allowed === undefined) return Uint32Array.from({ length: count }, (_, id) => id);
  const ids = new Uint32Array(passing);
  let next = 0;
  forEachBit(allowed, (id) => {
    ids[next++] = id;
  });
  return ids;
}
