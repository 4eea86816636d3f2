import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from '../../ts/core/types.ts';
import { open } from '../../ts/open.ts';
import { buildApp } from '../../ts/serve/app.ts';
import { KeyRing } from '../../ts/serve/keys.ts';
import { type GivenSettings, type RunningServer, type ServeOptions, serve } from '../../ts/serve/serve.ts';
import { createService, type Service } from '../../ts/serve/service.ts';
import { parseSettings } from '../../ts/serve/settings/parseSettings.ts';
import { shutDown } from '../../ts/serve/shutDown.ts';

/** A server on a free port over a new index, with the default models. */
export interface TestServer extends RunningServer {
  /** Folder of the index, removed by `close`. */
  folder: string;
}

export async function startServer(
  settings: Record<string, unknown> = {},
  options: ServeOptions = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'seine-serve-'));
  const server = await serve(
    { index: join(folder, 'test.seine'), port: 0, logLevel: 'silent', device: 'cpu', ...settings },
    options,
  );
  return {
    ...server,
    folder,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A server of which the test holds the parts: to occupy its slots, or to see what waits for them. */
export interface TestService {
  url: string;
  service: Service;
  folder: string;
  close(): Promise<void>;
}

export async function startService(settings: Record<string, unknown> = {}): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), 'seine-serve-'));
  const given = {
    index: join(folder, 'test.seine'),
    port: 0,
    logLevel: 'silent',
    device: 'cpu',
    ...settings,
  };
  const checked = parseSettings(given as GivenSettings);
  const { embedder, ranker, device } = checked;
  const index = await open(checked.index, { embedder, ranker, device });
  const service = createService(index, checked, { keys: new KeyRing(checked.keys), version: 'test' });
  const app = await buildApp(service, process.stderr);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    service,
    folder,
    async close() {
      await shutDown(app, service);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Occupies a slot until it is let go. */
export async function holdSlot({ service }: TestService, workload: string): Promise<() => void> {
  let letGo = (): void => {};
  await new Promise<void>((started) => {
    void service.work.run(workload, () => {
      started();
      return new Promise<void>((resolve) => {
        letGo = resolve;
      });
    });
  });
  return letGo;
}

/** What a test expects of an answer is said by its assertions. */
// biome-ignore lint/suspicious/noExplicitAny: an answer may be any JSON
export type Json = any;

/** Sends JSON and reads JSON. */
export async function ask(
  url: string,
  body?: unknown,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; body: Json }> {
  const response = await fetch(url, {
    ...(body !== undefined && {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
    ...init,
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export const DOCUMENTS: Document[] = [
  {
    id: 'a',
    title: 'Night nurse',
    text: 'Care for patients on the night shift.',
    attributes: { city: 'Bern', pay: 90 },
  },
  {
    id: 'b',
    title: 'TypeScript engineer',
    text: 'Build web services with Node.js.',
    attributes: { city: 'Zurich', pay: 120 },
  },
  {
    id: 'c',
    title: 'Court bailiff',
    text: 'Keep order in the court room.',
    attributes: { city: 'Bern', pay: 70 },
  },
  {
    id: 'd',
    title: 'Forklift driver',
    text: 'Move pallets in a warehouse.',
    attributes: { city: 'Basel', pay: 60 },
  },
];
