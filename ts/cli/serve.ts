import { Command, Option } from 'commander';
import type { LoadedSettings } from '../serve/settings/loadSettings.ts';
import { interruptSignal } from './interrupt.ts';
import { output } from './output.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .summary('serve an index over HTTP, with a page')
    .description(
      'Serves an index over HTTP: search, upsert, delete and rank, the dialects of other services, metrics, and a page ' +
        'to search with. Without keys it listens on this machine only. Ends in order at the first Ctrl-C or SIGTERM, ' +
        'at once at the second. Ends with status 6, or 4 for want of memory, if a part has failed for good: to be ' +
        'started again.',
    )
    .option('--config <file>', 'settings as JSON; flags and environment go before it')
    .option('--print-config', 'print the settings that count, and where each came from, and end')
    .addHelpText(
      'after',
      `
Settings come from flags, then SEINE_SERVE_PORT and the like (structured ones as JSON), then --config, then defaults.
Log lines are JSON on standard error.

Examples:
  $ seine serve --index jobs.seine
  $ seine serve --index jobs.seine --host 0.0.0.0 --config serve.json
  $ SEINE_SERVE_KEYS='[{"name":"app","key":"file:/run/secrets/app"}]' seine serve --index jobs.seine --host 0.0.0.0
  $ seine serve --index jobs.seine --print-config`,
    )
    .action(run);
}

/** Adds a flag for each scalar setting. Apart from `serveCommand`, as the library of schemas takes time to load. */
export async function addSettingFlags(command: Command): Promise<void> {
  const { SETTING_NAMES } = await import('../serve/settings/names.ts');
  for (const { flag, kind, description, byDefault, choices } of SETTING_NAMES) {
    if (flag === undefined) continue;
    const shown = description.replace(/\.$/, '').replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
    const after = byDefault === undefined ? '' : ` (default: ${byDefault})`;
    const value = kind === 'number' ? 'n' : choices === undefined ? 'text' : 'name';
    const option = new Option(`${flag} <${value}>`, `${shown}${after}`);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
}

async function run(_options: object, command: Command): Promise<void> {
  const { loadSettings } = await import('../serve/settings/loadSettings.ts');
  const { config, printConfig } = command.opts<{ config?: string; printConfig?: boolean }>();
  const flags: Record<string, string> = {};
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (typeof value === 'string' && option.long !== undefined) flags[option.long] = value;
  }
  const loaded = loadSettings({ flags, env: process.env, file: config });
  if (printConfig) return print(loaded);

  const out = output({});
  const signal = interruptSignal();
  const { serve } = await import('../serve/serve.ts');
  process.stderr.on('error', () => {}); // a reader of logs that has gone is no reason to stop
  const server = await serve(loaded.settings);
  out.say(`Serving ${loaded.settings.index} at ${server.url}/ (interface at ${server.url}/docs).`);
  const interrupted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const failure = await Promise.race([interrupted, server.failed]);
  await server.close();
  if (failure !== undefined) throw failure;
}

async function print({ settings, sources }: LoadedSettings): Promise<void> {
  const { maskSecrets } = await import('../serve/settings/maskSecrets.ts');
  const out = output({});
  out.data(JSON.stringify(maskSecrets(settings), null, 2));
  for (const [path, source] of sources) out.say(`${path}: ${source}`);
}
