import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadSettings } from '../../../ts/serve/settings/loadSettings.ts';
import { maskSecrets } from '../../../ts/serve/settings/maskSecrets.ts';
import { SETTING_NAMES } from '../../../ts/serve/settings/names.ts';
import { parseSettings } from '../../../ts/serve/settings/parseSettings.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: unknown): string {
  const path = join(folder, 'serve.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const FLAGS = { '--index': 'x.seine' };

describe('which source counts', () => {
  test.each<
    [flag: string | undefined, variable: string | undefined, inFile: number | undefined, string, number]
  >([
    [undefined, undefined, undefined, 'default', 7700],
    [undefined, undefined, 3, 'file', 3],
    [undefined, '2', undefined, 'SEINE_SERVE_PORT', 2],
    [undefined, '2', 3, 'SEINE_SERVE_PORT', 2],
    ['1', undefined, undefined, '--port', 1],
    ['1', undefined, 3, '--port', 1],
    ['1', '2', undefined, '--port', 1],
    ['1', '2', 3, '--port', 1],
  ])('flag %p, variable %p, file %p: %s', (flag, variable, inFile, source, port) => {
    const path = file(inFile === undefined ? {} : { port: inFile });
    const flags = flag === undefined ? FLAGS : { ...FLAGS, '--port': flag };
    const loaded = loadSettings({ flags, env: { SEINE_SERVE_PORT: variable }, file: path });
    expect(loaded.settings.port).toBe(port);
    expect(loaded.sources.get('port')).toBe(source === 'file' ? path : source);
  });

  test('structured settings are taken field by field, a variable of a part goes before that of the whole', () => {
    const { settings, sources } = loadSettings({
      flags: FLAGS,
      env: {
        SEINE_SERVE_WORKLOADS: '{"bulk":{"weight":3},"nightly":{"maxShare":0.5}}',
        SEINE_SERVE_SCORE_CACHE: '{"bytes":1,"file":"scores"}',
        SEINE_SERVE_SCORE_CACHE_BYTES: '5000',
        PATH: 'left alone',
      },
      file: file({ workloads: { bulk: { weight: 2, queue: 7 } } }),
    });
    expect(settings.scoreCache).toEqual({ bytes: 5000, file: 'scores' });
    expect(settings.workloads.bulk).toMatchObject({ weight: 3, queue: 7, maxShare: 0.5 });
    expect(settings.workloads.nightly).toEqual({ weight: 1, minShare: 0, maxShare: 0.5, queue: 64 });
    expect(settings.workloads.interactive?.depth).toEqual({ least: 10, greatest: 50, targetMs: 500 });
    expect(sources.get('workloads.bulk.weight')).toBe('SEINE_SERVE_WORKLOADS');
    expect(sources.get('workloads.bulk.queue')).toBe(join(folder, 'serve.json'));
    expect(sources.get('workloads.bulk.maxShare')).toBe('default');
  });

  test('every scalar has a flag and every setting a variable, of which none is ambiguous', () => {
    const flags = SETTING_NAMES.flatMap(({ flag }) => flag ?? []);
    const variables = SETTING_NAMES.map(({ variable }) => variable);
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(variables).size).toBe(variables.length);
    expect(flags).toEqual(expect.arrayContaining(['--index', '--drain-ms', '--score-cache-bytes']));
    expect(variables).toEqual(expect.arrayContaining(['SEINE_SERVE_KEYS', 'SEINE_SERVE_WORKLOADS']));
    for (const { description } of SETTING_NAMES) expect(description).not.toBe('');
  });
});

describe('what is wrong is refused with what to do', () => {
  test.each<[RegExp, Record<string, string>, unknown, Record<string, string>]>([
    [/^The setting index is missing: .*SEINE_SERVE_INDEX/, {}, {}, {}],
    [/SEINE_SERVE_PROT: did you mean SEINE_SERVE_PORT\?$/, { SEINE_SERVE_PROT: '1' }, {}, FLAGS],
    [/SEINE_SERVE_ZZZZZZ: unset it\.$/, { SEINE_SERVE_ZZZZZZ: '1' }, {}, FLAGS],
    [/^settings has no field "prot": did you mean "port"\?/, {}, { prot: 1 }, FLAGS],
    [
      /^settings\.workloads\.bulk has no field "wieght": did you mean "weight"\?/,
      {},
      { workloads: { bulk: { wieght: 1 } } },
      FLAGS,
    ],
    [/^settings\.workloads has no field "Bulk": names are to match /, {}, { workloads: { Bulk: {} } }, FLAGS],
    [/^settings has no field "__proto__"/, {}, '{"__proto__":{"port":1}}', FLAGS],
    [/^--port must be a number, got "http"\.$/, {}, {}, { ...FLAGS, '--port': 'http' }],
    [/^SEINE_SERVE_PORT must be a number, got " "\.$/, { SEINE_SERVE_PORT: ' ' }, {}, FLAGS],
    [
      /^settings\.port must be <= 65535, got 65536\. It came from --port\.$/,
      {},
      {},
      { ...FLAGS, '--port': '65536' },
    ],
    [
      /^settings\.port must be integer, got 1\.5\. It came from SEINE_SERVE_PORT\.$/,
      { SEINE_SERVE_PORT: '1.5' },
      {},
      FLAGS,
    ],
    [
      /^settings\.port must be integer, got "7700"\. It came from .*serve\.json\.$/,
      {},
      { port: '7700' },
      FLAGS,
    ],
    [/^settings\.device must be .*: auto, cuda, .* got "gpu"/, { SEINE_SERVE_DEVICE: 'gpu' }, {}, FLAGS],
    [
      /^SEINE_SERVE_KEYS must be JSON: correct its syntax\.$/,
      { SEINE_SERVE_KEYS: '[{"key":"secret' },
      {},
      FLAGS,
    ],
    ...(
      [
        [
          '["0123456789abcdef-secret"]',
          /^settings\.keys\.0 must be object\. It came from SEINE_SERVE_KEYS\.$/,
        ],
        ['"0123456789abcdef-secret"', /^settings\.keys must be array\. It came from SEINE_SERVE_KEYS\.$/],
        ['[{"name":"a","key":["secret"]}]', /^settings\.keys\.0\.key must be string\. It/],
        [
          '[{"name":"a","key":"k","0123456789abcdef-secret":"a"}]',
          /^settings\.keys\.0 has no field of that name: leave it out/,
        ],
        [
          '[{"name":"a","key":"k","wirte":true}]',
          /^settings\.keys\.0 has no field "wirte": did you mean "write"\?/,
        ],
      ] as const
    ).map(([keys, message]): [RegExp, Record<string, string>, unknown, Record<string, string>] => [
      message,
      { SEINE_SERVE_KEYS: keys },
      {},
      FLAGS,
    ]),
    ...['requestTimeoutMs', 'headersTimeoutMs', 'keepAliveTimeoutMs', 'drainMs'].map(
      (name): [RegExp, Record<string, string>, unknown, Record<string, string>] => [
        new RegExp(`^settings\\.${name} must be <= 2147483647, got 2147483648\\.`),
        {},
        { [name]: 2 ** 31 },
        FLAGS,
      ],
    ),
    [
      /^settings\.workloads\.bulk\.deadlineMs must be <= /,
      {},
      { workloads: { bulk: { deadlineMs: 2 ** 31 } } },
      FLAGS,
    ],
    [
      /^settings\.workloads\.bulk\.depth\.targetMs must be <= /,
      {},
      { workloads: { bulk: { depth: { targetMs: 2 ** 31 } } } },
      FLAGS,
    ],
    [/serve\.json must be JSON: correct its syntax\.$/, {}, '{', FLAGS],
    [/serve\.json must hold a JSON object of settings, got an array of 0\.$/, {}, [], FLAGS],
    [
      /^Anyone who reaches 0\.0\.0\.0 could read and change the index: give API keys/,
      {},
      { host: '0.0.0.0' },
      FLAGS,
    ],
    [/^Anyone who reaches ::/, {}, { host: '::' }, FLAGS],
    [
      /^workloads\.interactive\.depth\.least must not exceed its greatest of 50, got 60\.$/,
      {},
      { workloads: { interactive: { depth: { least: 60 } } } },
      FLAGS,
    ],
    [
      /^The minShare of all workloads must not exceed 1 together, got 1\.2/,
      {},
      { workloads: { bulk: { minShare: 0.7, maxShare: 1 } } },
      FLAGS,
    ],
    [
      /^The key "a" names the workload "none", which is not there; there are: interactive, bulk, judge\.$/,
      {},
      { keys: [{ name: 'a', key: 'k'.repeat(16), workloads: ['none'] }] },
      FLAGS,
    ],
    [
      /^Two keys bear the name "a"/,
      {},
      {
        keys: [
          { name: 'a', key: 'k'.repeat(16) },
          { name: 'a', key: 'l'.repeat(16) },
        ],
      },
      FLAGS,
    ],
  ])('%p', (message, env, inFile, flags) => {
    const load = (): unknown => loadSettings({ flags, env, file: file(inFile) });
    expect(load).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  test('a file that is not there', () => {
    const load = (): unknown => loadSettings({ flags: FLAGS, file: join(folder, 'none.json') });
    expect(load).toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND' }));
  });
});

test('what is given is not changed', () => {
  const given = { index: 'x', workloads: { bulk: { weight: 2 } } };
  parseSettings(given);
  expect(given).toEqual({ index: 'x', workloads: { bulk: { weight: 2 } } });
});

test('secrets are masked, paths are not', () => {
  const keys = ['a-secret-of-mine-1', `sha256:${'0'.repeat(64)}`, 'file:/run/secrets/app'];
  const settings = parseSettings({ index: 'x', keys: keys.map((key) => ({ name: key.slice(0, 8), key })) });
  expect(maskSecrets(settings).keys.map(({ key }) => key)).toEqual([
    '***',
    'sha256:***',
    'file:/run/secrets/app',
  ]);
  expect(settings.keys[0]?.key).toBe('a-secret-of-mine-1');
});
