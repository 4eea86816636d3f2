import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { SeineError, show } from '../core/errors.ts';
import { threadBudget } from '../core/threads.ts';
import { nativeCall } from './nativeCalls.ts';

/** Where ONNX Runtime computes. Each is taken as asked for or refused, never replaced by another. */
export type Provider = 'cpu' | 'webgpu' | 'cuda';

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type TensorType = keyof Arrays;

/** A dense tensor, row-major; `data` has as many elements as the product of `dims`. */
export type Tensor<T extends TensorType = TensorType> = {
  [K in T]: { type: K; dims: readonly number[]; data: Arrays[K] };
}[T];

export interface TensorInfo {
  name: string;
  /** ONNX Runtime's name of the element type, or `undefined` for a value that is no tensor. */
  type: string | undefined;
  /** A string is a dimension that is known only when the graph runs. */
  dims: readonly (number | string)[];
}

export interface SessionOptions {
  provider?: Provider | undefined;
  /** Threads of one run; the process's thread budget if left out. */
  threads?: number | undefined;
  /**
   * Whether the results of a run lie in one block that the first run has shown to be needed. It is there beside what
   * the first run took: left out, graphs with large results take up to a third less memory. True if left out.
   */
  plannedMemory?: boolean | undefined;
  /** Where the weights lie that a graph given as bytes keeps in other files. */
  externalFolder?: string | undefined;
}

export interface RunOptions {
  /**
   * Names of the outputs that are wanted, or tensors to write them into: those must have the very type and dims of
   * the output and must not share memory with a feed. All outputs if left out.
   */
  outputs?: readonly string[] | Readonly<Record<string, Tensor>> | undefined;
}

/** An open graph. Not to be used by two threads; a run occupies the thread that calls it until it is done. */
export interface Session {
  readonly provider: Provider;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Throws `ERR_MODEL` if the feeds do not fit the graph or a node fails. */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The runtime, loaded when it is first needed; an installation without its binary is reported and not a crash. */
async function runtime(): Promise<typeof import('onnxruntime-node')> {
  try {
    const loaded = await import('onnxruntime-node');
    loaded.env.logLevel = 'fatal'; // failures arrive as exceptions; the log would only repeat them on stderr
    return loaded;
  } catch (error) {
    throw new SeineError(
      'ERR_MODEL',
      `onnxruntime-node should run models on ${process.platform}-${process.arch} but could not be loaded ` +
        `(${reason(error)}): install it for this platform.`,
      { cause: error },
    );
  }
}

/**
 * Opens an ONNX graph from its bytes or from a path; external data is found beside the path.
 * Errors: `ERR_MODEL` if the graph cannot be read, `ERR_DEVICE_UNAVAILABLE` if the provider is not there.
 */
export async function openSession(
  model: string | Uint8Array,
  options: SessionOptions = {},
): Promise<Session> {
  const provider = options.provider ?? 'cpu';
  const threads = options.threads ?? threadBudget();
  if (provider !== 'cpu' && provider !== 'webgpu' && provider !== 'cuda') {
    throw new SeineError('ERR_ARGUMENT', `provider must be cpu, webgpu or cuda, got ${show(provider)}.`);
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new SeineError('ERR_ARGUMENT', `threads must be a positive integer, got ${show(threads)}.`);
  }
  const { InferenceSession, Tensor } = await runtime();
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    enableMemPattern: options.plannedMemory ?? true,
    // Threads that spin after a run would take the processors from the other model, or from SQLite.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        ...(options.externalFolder && {
          model_external_initializers_file_folder_path: options.externalFolder,
        }),
      },
    },
    logSeverityLevel: 4,
  };
  let session: InferenceSession;
  try {
    session = await nativeCall(() =>
      typeof model === 'string'
        ? InferenceSession.create(model, settings)
        : InferenceSession.create(model, settings),
    );
  } catch (error) {
    throw openError(error, provider, model);
  }

  const input = (tensor: Tensor): OrtTensor => new Tensor(tensor.type, tensor.data, tensor.dims);
  return {
    provider,
    inputs: session.inputMetadata.map(info),
    outputs: session.outputMetadata.map(info),
    async run(feeds, { outputs } = {}) {
      const fed = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, input(tensor)]));
      let results: InferenceSession.OnnxValueMapType;
      try {
        if (outputs === undefined) results = await nativeCall(() => session.run(fed));
        else if (isNames(outputs)) results = await nativeCall(() => session.run(fed, [...outputs]));
        else {
          const into = Object.entries(outputs).map(([name, tensor]) => [name, input(tensor)]);
          results = await nativeCall(() => session.run(fed, Object.fromEntries(into)));
        }
      } catch (error) {
        throw new SeineError(
          'ERR_MODEL',
          `The graph should have run on inputs ${shapes(feeds)} but failed: ${reason(error)}. ` +
            'Check that tokenizer, config.json and graph belong to the same model.',
          { cause: error },
        );
      }
      return Object.fromEntries(
        Object.entries(results).map(([name, { type, dims, data }]) => [name, { type, dims, data } as Tensor]),
      );
    },
    release: () => nativeCall(() => session.release()),
  };
}

const isNames = (outputs: NonNullable<RunOptions['outputs']>): outputs is readonly string[] =>
  Array.isArray(outputs);

function info(value: InferenceSession.ValueMetadata): TensorInfo {
  return value.isTensor
    ? { name: value.name, type: value.type, dims: value.shape }
    : { name: value.name, type: undefined, dims: [] };
}

function openError(error: unknown, provider: Provider, model: string | Uint8Array): SeineError {
  const text = reason(error);
  if (provider !== 'cpu' && /provider|adapter|shared library|webgpu|cuda|backend/i.test(text)) {
    const remedy =
      provider === 'cuda'
        ? 'install onnxruntime-node without ONNXRUNTIME_NODE_INSTALL=skip on a machine with CUDA, or use provider cpu'
        : 'it needs a GPU driver with Vulkan, Metal or Direct3D 12; or use provider cpu';
    return new SeineError(
      'ERR_DEVICE_UNAVAILABLE',
      `ONNX Runtime's execution provider ${provider} should be available but is not (${text}): ${remedy}.`,
      { cause: error },
    );
  }
  const name = typeof model === 'string' ? model : `of ${model.byteLength} bytes`;
  return new SeineError(
    'ERR_MODEL',
    `The ONNX graph ${name} should be readable but is not (${text}): fetch or export the model again.`,
    { cause: error },
  );
}

const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300);

const shapes = (feeds: Readonly<Record<string, Tensor>>): string =>
  Object.entries(feeds)
    .map(([name, { type, dims }]) => `${name} ${type} [${dims.join(', ')}]`)
    .join(', ');

/** Execution providers that this build of ONNX Runtime knows; `bundled` means that nothing else must be installed. */
export async function availableProviders(): Promise<{ name: Provider; bundled: boolean }[]> {
  const { listSupportedBackends } = await runtime();
  return listSupportedBackends()
    .filter(({ name }) => name === 'cpu' || name === 'webgpu' || name === 'cuda')
    .map(({ name, bundled }) => ({ name: name as Provider, bundled }));
}

/** Throws `ERR_MODEL_OUTPUT` naming `what` if a value is NaN or infinite. */
export function requireFinite(values: Float32Array, what: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) {
      throw new SeineError(
        'ERR_MODEL_OUTPUT',
        `${what} should be finite but holds ${value} at index ${i}: the model's weights are damaged or overflow ` +
          'at its precision; fetch it again or export it in float32.',
      );
    }
  }
}
