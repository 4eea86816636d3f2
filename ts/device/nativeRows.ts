import { zeros } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { MaxsimPairs, MaxsimTask, RescoreTask, SearchTask, TokenRows, UploadOptions } from './device.ts';
import { DTYPES, METRICS, type NativeAddon, type NativeBackend, nativeError } from './native.ts';
import { nativeBitset } from './nativeBitset.ts';
import { nativeQuantize } from './nativeQuantize.ts';
import { arraysOf, makeRows } from './storedRows.ts';

/** Rows of a device of the addon. */
export function nativeRows(addon: NativeAddon, backend: NativeBackend, options: UploadOptions): TokenRows {
  const rows = addon.createRows(
    backend,
    options.dim,
    METRICS.indexOf(options.metric),
    DTYPES.indexOf(options.dtype),
    options.features,
    !options.maxsim,
  );
  const search = (task: SearchTask & Partial<MaxsimTask>) =>
    asSeine(async () => {
      const queries = task.queries.dtype === 'binary' ? task.queries.words : task.queries.values;
      const { q, k, count, allowed, passing, rows: listed, weights, offsets, documents } = task;
      const [ids, scores] = allocate(task);
      const [number, done] = addon.search(
        rows,
        queries,
        q,
        k,
        count,
        allowed,
        passing,
        ids,
        scores,
        listed,
        weights,
        offsets,
        documents,
      );
      await cancellable(addon, number, done, task.signal);
      return { ids, scores };
    });
  const rescore = ({ queries, q, weights, offsets, pairs, documents }: RescoreTask & Partial<MaxsimPairs>) =>
    asSeine(async () => {
      const values = queries.dtype === 'binary' ? queries.words : queries.values;
      const scores = new Float32Array(pairs.rows.length);
      await addon.rescore(rows, values, q, pairs.queries, pairs.rows, scores, weights, offsets, documents);
      return scores;
    });
  return {
    get bytes() {
      return addon.bytes(rows);
    },
    take(values, features) {
      try {
        return addon.take(rows, values, features);
      } catch (error) {
        throw nativeError(error);
      }
    },
    append: (batch) =>
      asSeine(() => {
        const { codes, scales } = arraysOf(batch.rows);
        return addon.append(rows, batch.taken ? undefined : codes, scales, batch.features);
      }),
    read(ids) {
      const stored = makeRows(options.dtype, options.dim, ids.length);
      const features = new Float32Array(ids.length * (options.features ?? 0));
      const { codes, scales } = arraysOf(stored);
      try {
        addon.read(rows, ids, codes, scales, features);
      } catch (error) {
        throw nativeError(error);
      }
      return { rows: stored, features };
    },
    quantize: (values) => nativeQuantize(addon, values, options),
    findNotFinite: (values) => asSeine(() => addon.findNotFinite(rows, values)),
    search,
    rescore,
    maxsim: { search, rescore },
    writeColumn: (array, at, words) => asSeine(() => addon.writeColumn(rows, array, at, words)),
    filter: ({ program: { steps, intervals, bits }, count, signal }) =>
      asSeine(async () => {
        const mask = zeros(count);
        const [filter, done] = addon.filter(rows, steps, intervals, bits, count, mask);
        return { mask, passing: await cancellable(addon, filter, done, signal) };
      }),
    bitsets: nativeBitset(addon),
    dispose: async () => addon.disposeRows(rows),
  };
}

/** What a job of the addon ends with; it is cancelled if the signal aborts before. */
async function cancellable<T>(
  addon: NativeAddon,
  job: number,
  done: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const cancel = () => addon.cancel(job);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await done;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function allocate({ q, k }: SearchTask): [ids: Uint32Array, scores: Float32Array] {
  try {
    return [new Uint32Array(q * k), new Float32Array(q * k)];
  } catch (cause) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `A result of ${q} queries × k = ${k} takes ${q * k * 8} bytes more than could be had: ask for fewer.`,
      { cause },
    );
  }
}

async function asSeine<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw nativeError(error);
  }
}
