import type { JSHandle } from 'playwright-core';
import { SeineError } from '../../ts/core/errors.ts';
import type { TopK } from '../../ts/core/types.ts';
import type { Device, RowBatch, Rows, UploadOptions } from '../../ts/device/device.ts';
import type { DeviceUnderTest } from './devices.ts';
import { type GpuPage, openGpuPage } from './gpuPage.ts';
import { withoutChromium } from './launchBrowser.ts';

const wanted = process.env.SEINE_DEVICES?.split(',').includes('webgpu') ?? true;

/** What `seine/webgpu` opens in Chromium, for the suites that every device passes. */
export const chromiumDevices: DeviceUnderTest[] =
  withoutChromium || !wanted ? [] : [{ label: 'webgpu in Chromium', pace: 0.3, open: openChromiumDevice }];

/** Stands for the device in the page: each call is made there, with copies of the arguments as they are now. */
export async function openChromiumDevice(): Promise<Device> {
  const gpu = await openGpuPage();
  const device = await gpu.page.evaluateHandle(async (entry) => {
    const { openWebgpu } = await import(entry);
    return openWebgpu() as Promise<Device>;
  }, gpu.entry);
  const facts = await device.evaluate(({ name, description }) => ({ name, description }));
  const close = async () => {
    await unwrap(call(device, 'close', []));
    await gpu.close();
  };
  return {
    ...facts,
    upload: (data, options) => upload(gpu, device, data, options),
    select: async (...given) => unwrap(call(device, 'select', copied(given))) as Promise<TopK>,
    merge: async (...given) => unwrap(call(device, 'merge', copied(given))) as Promise<TopK>,
    close,
    ...disposal(close),
  };
}

/** Arguments of a call as they are now: what is shared between threads is copied, too. */
const copied = (given: unknown[]): unknown[] =>
  structuredClone(
    given.map((value) =>
      value instanceof Float32Array && value.buffer instanceof SharedArrayBuffer ? value.slice() : value,
    ),
  );

const disposal = (dispose: () => Promise<void>) => ({ [Symbol.asyncDispose]: dispose });

async function upload(
  gpu: GpuPage,
  device: JSHandle<Device>,
  data: Float32Array | RowBatch | AsyncIterable<Float32Array | RowBatch>,
  options: UploadOptions,
): Promise<Rows> {
  const chunks: Float32Array[] = [];
  if (Symbol.asyncIterator in data) {
    for await (const chunk of data) {
      if (!(chunk instanceof Float32Array)) throw new Error('Only bare numbers are replayed chunk by chunk.');
      chunks.push(chunk.slice());
    }
  }
  const given = chunks.length > 0 ? { chunks, options } : { data, options };
  const outcome = await device.evaluateHandle(
    async (device, { data, chunks = [], options }) => {
      async function* replay() {
        const buffer = new Float32Array(Math.max(...chunks.map(({ length }) => length)));
        for (const chunk of chunks) {
          buffer.set(chunk);
          yield buffer.subarray(0, chunk.length);
        }
      }
      try {
        const rows = await device.upload(chunks.length > 0 ? replay() : data!, options);
        const { dim, metric, dtype, features, maxsim, count, live, generation, bytes } = rows;
        return {
          rows,
          facts: { state: { dim, metric, dtype, features, maxsim, count, live, generation, bytes } },
        };
      } catch (error) {
        const { code, message } = error as SeineError;
        return { facts: { error: { code, message } } };
      }
    },
    given as { data?: Float32Array | RowBatch; chunks?: Float32Array[]; options: UploadOptions },
  );
  const { error, state } = await outcome.evaluate(({ facts }) => facts);
  if (error !== undefined) throw new SeineError(error.code, error.message);
  return residentIn(gpu, (await outcome.getProperty('rows')) as JSHandle<Rows>, state);
}

type State = Pick<
  Rows,
  'dim' | 'metric' | 'dtype' | 'features' | 'maxsim' | 'count' | 'live' | 'generation' | 'bytes'
>;

function residentIn(gpu: GpuPage, rows: JSHandle<Rows>, first: State): Rows {
  let state = first;
  const ask = async <T>(method: string, given: unknown[]): Promise<T> => {
    const outcome = await call(rows, method, copied(given));
    state = outcome.state;
    return unwrap(Promise.resolve(outcome)) as T;
  };
  const dispose = () => (gpu.page.isClosed() ? Promise.resolve() : ask<void>('dispose', []));
  return {
    dim: first.dim,
    metric: first.metric,
    dtype: first.dtype,
    features: first.features,
    maxsim: first.maxsim,
    get count() {
      return state.count;
    },
    get live() {
      return state.live;
    },
    get generation() {
      return state.generation;
    },
    get bytes() {
      return state.bytes;
    },
    search: (...given) => ask('search', given),
    rescore: (...given) => ask('rescore', given),
    append: (...given) => ask('append', given),
    remove: (...given) => ask('remove', given),
    compact: () => ask('compact', []),
    dispose,
    ...disposal(dispose),
  };
}

interface Outcome {
  value?: unknown;
  error?: Pick<SeineError, 'code' | 'message'>;
  state: State;
}

function call(target: JSHandle<Device | Rows>, method: string, given: unknown[]): Promise<Outcome> {
  return (target as JSHandle<Rows>).evaluate(
    async (rows, [method, given]) => {
      const answer = async (): Promise<Outcome> => {
        const outcome: Omit<Outcome, 'state'> = {};
        try {
          const methods = rows as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
          outcome.value = await methods[method]!(...given);
        } catch (error) {
          const { code, message } = error as SeineError;
          outcome.error = { code, message };
        }
        const { dim, metric, dtype, features, maxsim, count, live, generation, bytes } = rows;
        return {
          ...outcome,
          state: { dim, metric, dtype, features, maxsim, count, live, generation, bytes },
        };
      };
      // V8's inspector holds what it awaits weakly, and gives it up if it is collected before the GPU has answered.
      const page = globalThis as { underWay?: Set<Promise<Outcome>> };
      page.underWay ??= new Set();
      const awaited = answer();
      page.underWay.add(awaited);
      try {
        return await awaited;
      } finally {
        page.underWay.delete(awaited);
      }
    },
    [method, given] as const,
  ) as Promise<Outcome>;
}

async function unwrap(outcome: Promise<Outcome>): Promise<unknown> {
  const { value, error } = await outcome;
  if (error !== undefined) throw new SeineError(error.code, error.message);
  return value;
}
