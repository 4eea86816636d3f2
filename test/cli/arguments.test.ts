import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { Workplace } from './seine.ts';

jest.setTimeout(180_000);
const place = new Workplace();
afterAll(() => place.remove());

const COMMANDS = ['ingest', 'search', 'run', 'evaluate', 'train', 'reembed', 'doctor'];

describe('help', () => {
  test('names every command and every exit status', () => {
    const { status, stdout, stderr } = place.seine(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const command of [...COMMANDS, 'serve']) expect(stdout).toContain(`\n  ${command} `);
    for (const code of [0, 2, 3, 4, 5, 6, 130]) expect(stdout).toMatch(new RegExp(`\\b${code} [a-z]`));
  });

  test.each(COMMANDS)('%s has options and examples', (command) => {
    const { status, stdout } = place.seine([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('--json');
    expect(stdout).toContain('--quiet');
    expect(stdout).toMatch(new RegExp(`Examples?:\n(.*\n)*  \\$ (.*\\| )?seine ${command}`));
  });

  test('without a command it is shown, and that is not a success', () => {
    const { status, stdout, stderr } = place.seine([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: seine');
  });

  test('the version is that of the package', () => {
    expect(place.seine(['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe("a user's mistake is one sentence with the remedy, and no stack trace", () => {
  const bad = place.file('bad.jsonl', '{"id":"a","text":"x"}\nnot json\n');
  test.each<[number, RegExp, string[]]>([
    [2, /^seine: unknown command 'serch' \(Did you mean search\?\) See "seine --help"\.$/, ['serch']],
    [
      2,
      /^seine search: unknown option '--rankr' \(Did you mean --ranker\?\) See "seine search --help"/,
      ['search', 'x', '--index', 'i', '--rankr', 'y'],
    ],
    [2, /^seine search: missing required argument 'query'/, ['search', '--index', 'i']],
    [2, /^seine search: required option '--index <file>' not specified/, ['search', 'x']],
    [
      2,
      /^seine search: option '--k <n>' argument '0' is invalid\. A whole number/,
      ['search', 'x', '--index', 'i', '--k', '0'],
    ],
    [
      2,
      /^seine search: option '--device <name>' argument 'gpu' is invalid\. Allowed/,
      ['search', 'x', '--index', 'i', '--device', 'gpu'],
    ],
    [
      2,
      /^seine search: option '--provider <name>' argument 'gpu' is invalid\. Allowed choices are cpu, webgpu, cuda/,
      ['search', 'x', '--index', 'i', '--provider', 'gpu'],
    ],
    [
      2,
      /^seine search: option '--devices <numbers>' argument '0,a' is invalid\. A whole number/,
      ['search', 'x', '--index', 'i', '--device', 'cuda', '--devices', '0,a'],
    ],
    [
      2,
      /^seine ingest: option '--type <name=type>' argument 'a=text' is invalid/,
      ['ingest', bad, '--index', 'i', '--type', 'a=text'],
    ],
    [2, /^seine doctor: too many arguments/, ['doctor', 'x']],
    [2, /^seine: --filter must be JSON .*ERR_FILTER\]$/, ['search', 'x', '--index', 'i', '--filter', '{']],
    [3, /^seine: There is no index at .*nowhere.* \[ERR_NOT_FOUND\]$/, ['search', 'x', '--index', 'nowhere']],
    [
      3,
      /^seine: There is no index at .*nowhere.* \[ERR_NOT_FOUND\]$/,
      ['reembed', '--index', 'nowhere', '--embedder', 'other-embedder'],
    ],
    [3, /^seine: .*nothing\.jsonl.* \[ERR_NOT_FOUND\]$/, ['ingest', 'nothing.jsonl', '--index', 'i']],
    [
      3,
      /^seine: The embedder "none-such" .* \[ERR_MODEL\]$/,
      ['ingest', bad, '--index', 'j', '--embedder', 'none-such'],
    ],
    [
      5,
      /^seine: Line 2 of bad\.jsonl is not JSON: .* \[ERR_DATA\]$/,
      ['ingest', bad, '--index', 'i', '--strict'],
    ],
  ])('%d %p', (exit, message, args) => {
    const { status, stdout, stderr } = place.seine(args);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ status, stdout }).toEqual({ status: exit, stdout: '' });
  });

  test('SEINE_DEBUG=1 shows where it arose', () => {
    const { status, stderr } = place.seine(['search', 'x', '--index', 'nowhere'], {
      env: { SEINE_DEBUG: '1' },
    });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^\s+at .*dist/m);
  });
});

describe('doctor', () => {
  test('tells devices, models and threads', () => {
    const { status, stdout } = place.seine(['doctor', '--json'], { env: { SEINE_THREADS: '3' } });
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      schemaVersion: 1,
      node: process.version,
      threads: { budget: 3, from: 'SEINE_THREADS' },
      models: [
        {
          kind: 'embedder',
          found: true,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
          bytes: expect.any(Number),
        },
        { kind: 'ranker', found: true },
      ],
      providers: { available: expect.arrayContaining([{ name: 'cpu', bundled: true }]) },
    });
    const names = found.devices.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['cuda', 'webgpu', 'cpu', 'reference']);
    expect(found.devices.find(({ chosen }: { chosen: boolean }) => chosen).name).toBe(found.device);
  });

  test('people read the same', () => {
    const { status, stdout, stderr } = place.seine(['doctor']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ {3}reference {2}available: /m);
    expect(stdout).toMatch(/^ {3}embedder {3}seine-embed-small: /m);
    expect(stdout.match(/^ \* /gm)).toHaveLength(1);
  });
});
