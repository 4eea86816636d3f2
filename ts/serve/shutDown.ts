import type { FastifyInstance } from 'fastify';
import { SeineError } from '../core/errors.ts';
import { cancelWork } from './clientSignal.ts';
import type { Service } from './service.ts';

/** Milliseconds in which what was cancelled may say so. */
const FAREWELL_MS = 500;

/**
 * Listens no more, lets what is under way end for `drainMs` at most, cancels the rest, and closes the application and
 * the index.
 */
export async function shutDown(app: FastifyInstance, service: Service): Promise<void> {
  const { settings, index, work } = service;
  service.draining = true;
  app.log.info({ drainMs: settings.drainMs }, 'shutting down');
  const last = new SeineError(
    'ERR_CLOSED',
    'The server shut down before this was done: ask again in a moment.',
  );
  let cutting: NodeJS.Timeout | undefined;
  const cancelling = setTimeout(() => {
    for (const reply of service.answers) cancelWork(reply, last);
    cutting = setTimeout(() => app.server.closeAllConnections(), FAREWELL_MS);
  }, settings.drainMs);
  await app.close(); // ends when no connection is left
  clearTimeout(cancelling);
  clearTimeout(cutting);
  await work.drain();
  await index.close();
  app.log.info('closed');
}
