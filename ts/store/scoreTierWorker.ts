import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { insideGate } from './exitGate.ts';
import { SCORE_FILE, ScoreFile } from './scoreFile.ts';
import type { FromScoreWorker, ScoreWorkerSettings, ToScoreWorker } from './scoreProtocol.ts';
import { asSeineError, toWire } from './wireError.ts';

const port = parentPort;
if (port === null) throw new SeineError('ERR_INTERNAL', 'scoreTierWorker runs as a worker thread only.');
const { path, bytes, gate } = workerData as ScoreWorkerSettings;
const send = (message: FromScoreWorker): void => port.postMessage(message);
const warn = (warning: string): void => send({ warning });

function serve(port: MessagePort): void {
  /** `undefined` after a damaged one could not be begun anew: each request tries again. */
  let file: ScoreFile | undefined = ScoreFile.open(path, bytes, warn);
  const answer = (message: Exclude<ToScoreWorker, { close: true }>): void => {
    try {
      file ??= ScoreFile.open(path, bytes, warn);
      const found = 'get' in message ? file.get(message.kind, message.get) : [];
      if ('put' in message) file.put(message.put);
      send({ call: message.call, found, state: file.state() });
    } catch (cause) {
      const error = asSeineError(cause, path, SCORE_FILE);
      const told = error.code === 'ERR_CORRUPT' ? (renew() ?? error) : error;
      send({ call: message.call, error: toWire(told) });
    }
  };
  /** Begins the file anew; the reason if that fails. */
  const renew = (): SeineError | undefined => {
    try {
      file?.close();
      file = undefined;
      file = ScoreFile.renew(path, bytes, warn);
      return undefined;
    } catch (error) {
      return asSeineError(error, path, SCORE_FILE);
    }
  };
  port.on('message', (message: ToScoreWorker) =>
    insideGate(gate, () => {
      if (!('close' in message)) return answer(message);
      file?.close();
      port.close(); // the thread ends by itself: it is never terminated while SQLite works
    }),
  );
  send({ opened: file.state() });
}

insideGate(gate, () => {
  try {
    serve(port);
  } catch (error) {
    send({ refused: toWire(asSeineError(error, path, SCORE_FILE)) });
    port.close();
  }
});
