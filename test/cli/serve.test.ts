import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { Workplace } from './seine.ts';

jest.setTimeout(180_000);
const place = new Workplace();
afterAll(() => place.remove());

interface Started {
  child: ChildProcessWithoutNullStreams;
  url: string;
  /** Everything that has come so far. */
  stdout: () => string;
  stderr: () => string;
  ended: Promise<[status: number | null, signal: string | null]>;
}

/** Starts a server on a free port and waits until it says where it is. */
async function start(args: string[]): Promise<Started> {
  const child = place.start(['serve', '--index', 'served.seine', '--port', '0', '--device', 'cpu', ...args]);
  const ended = once(child, 'exit') as Started['ended'];
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      const found = /^Serving served\.seine at (http:\/\/\S+)\/ \(interface at \1\/docs\)\.$/m.exec(stderr);
      if (found) resolve(found[1]!);
    });
    void ended.then(() => reject(new Error(stderr)));
  });
  return { child, url, stdout: () => stdout, stderr: () => stderr, ended };
}

/** An upload that is under way until its last bytes are sent. */
async function startUpload(url: string): Promise<(rest: string) => Promise<string>> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const head = 'POST /documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n';
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n16\r\n{"id":"a","text":"x"}\n\r\n`);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  let metrics = '';
  while (!metrics.includes('seine_http_requests_in_flight 2\n')) {
    metrics = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
  }
  return async (rest) => {
    socket.write(rest);
    await closed;
    return answer;
  };
}

describe('serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets what is under way end, then ends with 0',
    async (signal) => {
      const server = await start([]);
      const finish = await startUpload(server.url);
      server.child.kill(signal);
      while (!server.stderr().includes('"shutting down"')) await once(server.child.stderr, 'data');
      await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
      const answer = await finish('0\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(await server.ended).toEqual([0, null]);
      expect(server.stdout()).toBe('');
      const lines = server.stderr().trimEnd().split('\n');
      const logged = lines.filter((line) => !line.startsWith('Serving ')).map((line) => JSON.parse(line));
      expect(logged.at(-1)).toMatchObject({ level: 30, msg: 'closed' });
      expect(logged).toContainEqual(expect.objectContaining({ route: '/documents', status: 200 }));
    },
  );

  test('a second signal ends it at once with 130, and what was acknowledged is there', async () => {
    const server = await start(['--log-level', 'info']);
    await fetch(`${server.url}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":"kept","text":"y"}',
    });
    const finish = await startUpload(server.url);
    server.child.kill('SIGTERM');
    while (!server.stderr().includes('"shutting down"')) await once(server.child.stderr, 'data');
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual([130, null]);
    await finish('');
    const { stdout } = place.seine(['search', 'y', '--index', 'served.seine', '--ranker', 'none', '--json']);
    expect(JSON.parse(stdout).hits.map(({ id }: { id: string }) => id)).toContain('kept');
  });

  test('with --log-level silent it says where it is and no more', async () => {
    const server = await start(['--log-level', 'silent']);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual([0, null]);
    expect(server.stderr().trimEnd().split('\n')).toHaveLength(1);
  });

  test('a port in use', async () => {
    const server = await start([]);
    const { port } = new URL(server.url);
    const { status, stdout, stderr } = place.seine(['serve', '--index', 'other.seine', '--port', port]);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toMatch(/^seine: Port \d+ of 127\.0\.0\.1 is in use: .* \[ERR_LISTEN\]$/m);
    expect(stderr).not.toMatch(/^\s+at /m);
    server.child.kill('SIGTERM');
    await server.ended;
  });
});

describe('serve --print-config', () => {
  const file = place.file(
    'serve.json',
    JSON.stringify({ port: 8001, drainMs: 1, keys: [{ name: 'app', key: 'a-secret-of-mine-1' }] }),
  );
  const args = ['serve', '--index', 'none.seine', '--config', file, '--print-config'];

  test('prints what counts to standard output, and where it came from to standard error', () => {
    const { status, stdout, stderr } = place.seine([...args, '--host', '0.0.0.0', '--body-limit', '5000'], {
      env: { SEINE_SERVE_PORT: '8002', SEINE_SERVE_WORKLOADS: '{"bulk":{"queue":9}}' },
    });
    expect(status).toBe(0);
    const settings = JSON.parse(stdout);
    expect(settings).toMatchObject({
      index: 'none.seine',
      host: '0.0.0.0',
      port: 8002,
      drainMs: 1,
      bodyLimit: 5000,
      maxConnections: 1024,
      keys: [{ name: 'app', key: '***', write: false }],
    });
    expect(settings.workloads.bulk).toMatchObject({ weight: 1, queue: 9 });
    const sources = Object.fromEntries(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ')),
    );
    expect(sources).toMatchObject({
      index: '--index',
      host: '--host',
      bodyLimit: '--body-limit',
      port: 'SEINE_SERVE_PORT',
      'workloads.bulk.queue': 'SEINE_SERVE_WORKLOADS',
      'workloads.bulk.weight': 'default',
      drainMs: file,
      keys: file,
      maxConnections: 'default',
    });
    expect(stdout + stderr).not.toContain('a-secret');
  });

  test('what it prints can be given again', () => {
    const first = place.seine(['serve', '--index', 'none.seine', '--slots', '3', '--print-config']);
    const again = place.seine([
      'serve',
      '--config',
      place.file('again.json', first.stdout),
      '--print-config',
    ]);
    expect(again.stdout).toBe(first.stdout);
  });

  test.each<[number, RegExp, string[], Record<string, string>]>([
    [2, /^seine: The setting index is missing: /, ['serve'], {}],
    [2, /^seine serve: unknown option '--prot' \(Did you mean --port\?\)/, ['serve', '--prot', '1'], {}],
    [2, /Allowed choices are auto, cuda/, ['serve', '--index', 'i', '--device', 'gpu'], {}],
    [
      2,
      /^seine: .*SEINE_SERVE_PROT: did you mean SEINE_SERVE_PORT\? \[ERR_ARGUMENT\]$/,
      args,
      { SEINE_SERVE_PROT: '1' },
    ],
    [
      2,
      /^seine: Anyone who reaches 0\.0\.0\.0 .* \[ERR_ARGUMENT\]$/,
      ['serve', '--index', 'i', '--host', '0.0.0.0'],
      {},
    ],
    [
      3,
      /^seine: .* cannot be read: correct the path given to --config\. \[ERR_NOT_FOUND\]$/,
      ['serve', '--config', 'nowhere.json'],
      {},
    ],
  ])('%d %p', (exit, message, given, env) => {
    const { status, stdout, stderr } = place.seine(given, { env });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(message);
    expect({ status, stdout }).toEqual({ status: exit, stdout: '' });
  });
});

test('serve --help has a flag for each scalar setting, with its default', () => {
  const { status, stdout } = place.seine(['serve', '--help']);
  expect(status).toBe(0);
  const help = stdout.replaceAll(/\s+/g, ' ');
  expect(help).toContain('--port <n> port; 0 takes a free one (default: 7700)');
  expect(help).toContain('--score-cache-bytes <n>');
  expect(help).toMatch(/Examples: .*\$ seine serve/);
});
