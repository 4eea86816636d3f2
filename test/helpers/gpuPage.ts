import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './launchBrowser.ts';

/** WebGPU on SwiftShader, which the browser brings along. */
const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const EMPTY = '<!doctype html><link rel="icon" href="data:,">';
const entry = fileURLToPath(new URL('../../dist/browser/webgpu.js', import.meta.url));

export interface GpuPage {
  browser: Browser;
  page: Page;
  /** Of the page; `entry` is that of the package's `seine/webgpu`. */
  url: string;
  entry: string;
  /** Paths that were asked for. */
  requests: string[];
  close(): Promise<void>;
}

/** A page of a secure origin in Chromium, with WebGPU or as Chromium comes. */
export async function openGpuPage({ webgpu = true, html = EMPTY } = {}): Promise<GpuPage> {
  const browser = await launchBrowser(webgpu ? FLAGS : []);
  const requests: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const script = url === '/webgpu.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(script ? readFileSync(entry) : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const page = await browser.newPage();
  await page.goto(url);
  return {
    browser,
    page,
    url,
    entry: `${url}webgpu.js`,
    requests,
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
