import { readFileSync } from 'node:fs';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { SeineError } from '../core/errors.ts';
import { open } from '../open.ts';
import { buildApp, type LogStream } from './app.ts';
import { KeyRing } from './keys.ts';
import { createService, type Service } from './service.ts';
import { type GivenSettings, parseSettings } from './settings/parseSettings.ts';
import type { Settings } from './settings/schema.ts';
import { shutDown } from './shutDown.ts';

export type { GivenSettings, Settings };

/** A server that listens. */
export interface RunningServer {
  /** Where it answers: `http://127.0.0.1:7700`. */
  url: string;
  /**
   * Takes no more requests, lets those under way end for `drainMs` at most, cancels the others, then closes
   * everything. Calling it again is harmless.
   */
  close(): Promise<void>;
  /**
   * Resolves if a part of the server has failed for good, such as the thread of a model: `/readyz` says so, and it
   * must be closed and started again. Pending otherwise.
   */
  failed: Promise<SeineError>;
}

export interface ServeOptions {
  /** Where log lines go, standard error by default. */
  log?: LogStream | undefined;
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * Opens the index and serves it over HTTP, until `close`. `settings` is what a configuration file may hold. Errors:
 * ERR_ARGUMENT (a setting is wrong), ERR_LISTEN (the address is taken or not there), and those of `open`.
 */
export async function serve(settings: GivenSettings, options: ServeOptions = {}): Promise<RunningServer> {
  const { log = process.stderr } = options;
  const checked = parseSettings(settings);
  const keys = new KeyRing(checked.keys);
  const { embedder, ranker, precision, device, devices, provider, scoreCache } = checked;
  const cache = scoreCache.bytes > 0 ? scoreCache : undefined;
  const index = await open(checked.index, {
    embedder,
    ranker,
    precision,
    device,
    devices,
    provider,
    scoreCache: cache,
  });
  try {
    const service = createService(index, checked, { keys, version });
    const app = await buildApp(service, log);
    await listen(app, service);
    void index.failed.then((err) => app.log.fatal({ err }, 'a part of the server has failed'));
    let closed: Promise<void> | undefined;
    return {
      url: urlOf(app),
      close: () => {
        closed ??= shutDown(app, service);
        return closed;
      },
      failed: index.failed,
    };
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function listen(app: FastifyInstance, { settings, metrics }: Service): Promise<void> {
  const { server } = app;
  server.maxConnections = settings.maxConnections;
  server.on('connection', (socket) => {
    metrics.connectionOpened();
    socket.once('close', () => metrics.connectionClosed());
  });
  server.on('drop', () => metrics.connectionRefused());
  const { port } = settings;
  // For "localhost" the framework would open a second server, which knows of no limits.
  const host = settings.host === 'localhost' ? '127.0.0.1' : settings.host;
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `listening at ${address}` });
  } catch (error) {
    await app.close();
    throw new SeineError('ERR_LISTEN', listenMessage(error, settings), { cause: error });
  }
}

function listenMessage(error: unknown, { host, port }: Settings): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `Port ${port} of ${host} is in use: stop what listens there, or choose another port (0 takes a free one).`;
  }
  if (code === 'EACCES') return `Port ${port} may not be used by this user: choose one from 1024 on.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `This machine has no address ${host}: choose one of its own, or 0.0.0.0 for all.`;
  }
  return `Nothing can listen at port ${port} of ${host}: ${(error as Error).message}.`;
}

/** An address that this machine can ask, also where it listens on all. */
function urlOf(app: FastifyInstance): string {
  const { address, port } = app.server.address() as AddressInfo;
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
