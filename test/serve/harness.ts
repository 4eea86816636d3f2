import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from '../../ts/core/types.ts';
import { type RunningServer, type ServeOptions, serve } from '../../ts/serve/serve.ts';

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
