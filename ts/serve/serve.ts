import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { open } from '../open.ts';
import { buildApp } from './app.ts';
import type { Service } from './service.ts';
import { parseSettings } from './settings/parseSettings.ts';

/** A server that listens. */
export interface RunningServer {
  /** Where it answers: `http://127.0.0.1:7700`. */
  url: string;
  /** Takes no more requests, lets those under way end, then closes everything. */
  close(): Promise<void>;
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Opens the index and serves it. `settings` is what a configuration file may hold. */
export async function serve(given: unknown): Promise<RunningServer> {
  const settings = parseSettings(given);
  const { embedder, ranker, device } = settings;
  const index = await open(settings.index, { embedder, ranker, device });
  const service: Service = { index, settings, version, draining: false };
  const app = await buildApp(service);
  await app.listen({ host: settings.host, port: settings.port });
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${settings.host}:${port}`,
    async close() {
      service.draining = true;
      await app.close();
      await index.close();
    },
  };
}
