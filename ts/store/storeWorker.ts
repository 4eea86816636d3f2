import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { insideGate } from './exitGate.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts';
import { StoreServer } from './storeServer.ts';
import { asSeineError, toWire } from './wireError.ts';

const port = parentPort;
if (port === null) throw new SeineError('ERR_INTERNAL', 'storeWorker runs as a worker thread only.');
const settings = workerData as WorkerSettings;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

function start(port: MessagePort): void {
  const server = new StoreServer(settings, send);
  // The thread ends by itself once nothing holds it: it is never terminated while SQLite works.
  server.onClosed = () => port.close();
  port.on('message', (message: ToWorker) => {
    if ('cancel' in message) server.cancel(message.cancel);
    else server.receive(message);
  });
  send({ opened: true });
}

insideGate(settings.gate, () => {
  try {
    start(port);
  } catch (error) {
    send({ refused: toWire(asSeineError(error, settings.path)) });
  }
});
