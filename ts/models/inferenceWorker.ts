import { parentPort, workerData } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { openEmbedder } from './embedder.ts';
import type { CallContext, FromWorker, OpenRequest, ToWorker } from './inferenceProtocol.ts';
import { countCalls } from './nativeCalls.ts';
import { openPairScorer } from './pairScorer.ts';

// The body of the worker thread that a model lives in: tokenising and ONNX Runtime's runs, which occupy their thread,
// happen here. Calls that are under way together take turns batch by batch.

const port = parentPort!;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

function fail(error: unknown): { code: SeineError['code']; message: string } {
  if (error instanceof SeineError) return { code: error.code, message: error.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'ERR_INTERNAL', message: `The model's thread failed: ${text}` };
}

async function start({ files, options, calls }: OpenRequest): Promise<void> {
  countCalls(calls);
  const model =
    files.kind === 'embedder' ? await openEmbedder(files, options) : await openPairScorer(files, options);
  const handle = async ({ id, flag, request }: Extract<ToWorker, { id: number }>): Promise<void> => {
    const context: CallContext = {
      aborted: () => Atomics.load(flag, 0) === 1,
      progress: (progress) => send({ id, progress }),
    };
    try {
      if ('encode' in request && 'encode' in model) {
        const result = await model.encode(request.encode, context);
        send({ id, result }, [result.vectors.buffer as ArrayBuffer]);
      } else if ('windows' in request && 'windows' in model) {
        send({ id, result: await model.windows(request.windows) });
      } else if ('read' in request && 'read' in model) {
        send({ id, result: await model.read(request.read) });
      } else if ('readPair' in request && 'readPair' in model) {
        send({ id, result: await model.readPair(request.readPair) });
      } else if ('heads' in request && 'heads' in model) {
        send({ id, result: await model.heads(request.heads, context) });
      } else if ('score' in request && 'score' in model) {
        send({ id, result: await model.score(request.score, context) });
      }
    } catch (error) {
      const { code, message } = fail(error);
      // The model is whole, or it would not have opened: it failed on this input.
      send({ id, error: { code: code === 'ERR_MODEL' ? 'ERR_MODEL_OUTPUT' : code, message } });
    }
  };
  port.on('message', async (message: ToWorker) => {
    if ('id' in message) return handle(message);
    await model.release();
    port.close(); // nothing else keeps the thread alive
  });
  send({ opened: model.info });
}

start(workerData as OpenRequest).catch((error: unknown) => send({ failed: fail(error) }));
