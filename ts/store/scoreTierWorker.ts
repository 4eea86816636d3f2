import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { insideGate } from './exitGate.ts';
import { ScoreFile } from './scoreFile.ts';
import type { FromScoreWorker, ScoreWorkerSettings, ToScoreWorker } from './scoreProtocol.ts';
import { asSeineError, toWire } from './wireError.ts';

const port = parentPort;
if (port === null) throw new SeineError('ERR_INTERNAL', 'scoreTierWorker runs as a worker thread only.');
const { path, bytes, gate } = workerData as ScoreWorkerSettings;
const send = (message: FromScoreWorker): void => port.postMessage(message);
const warn = (warning: string): void => send({ warning });

function serve(port: MessagePort): void {
  let file = ScoreFile.open(path, bytes, warn);
  const answer = (message: Exclude<ToScoreWorker, { close: true }>): void => {
    try {
      const found = 'get' in message ? file.get(message.kind, message.get) : [];
      if ('put' in message) file.put(message.put);
      send({ call: message.call, found, state: file.state() });
    } catch (cause) {
      const error = asSeineError(cause, path);
      send({ call: message.call, error: toWire(error) });
      if (error.code !== 'ERR_CORRUPT') return;
      file.close();
      file = ScoreFile.renew(path, bytes, warn);
    }
  };
  port.on('message', (message: ToScoreWorker) =>
    insideGate(gate, () => {
      if (!('close' in message)) return answer(message);
      file.close();
      port.close(); // the thread ends by itself: it is never terminated while SQLite works
    }),
  );
  send({ opened: file.state() });
}

insideGate(gate, () => {
  try {
    serve(port);
  } catch (error) {
    send({ refused: toWire(asSeineError(error, path)) });
    port.close();
  }
});
