import { SeineError, show } from '../../core/errors.ts';
import { threadBudget } from '../../core/threads.ts';
import { checkWorkloads } from '../admission/workloads.ts';
import { isLoopback } from '../hosts.ts';
import type { Settings } from './schema.ts';

/** Units of work at one time. */
export function slotsOf({ slots }: Settings): number {
  return slots ?? threadBudget() + 1;
}

/** What no schema says: whether settings fit each other. Throws ERR_ARGUMENT with what to do. */
export function checkSettings(settings: Settings): void {
  const { host, keys, workloads } = settings;
  if (keys.length === 0 && !isLoopback(host)) {
    refuse(
      `Anyone who reaches ${host} could read and change the index: give API keys by the setting keys, or listen on ` +
        '127.0.0.1.',
    );
  }
  checkWorkloads(slotsOf(settings), workloads);
  for (const [name, { depth }] of Object.entries(workloads)) {
    if (depth === undefined || depth.least <= depth.greatest) continue;
    refuse(
      `workloads.${name}.depth.least must not exceed its greatest of ${depth.greatest}, got ${depth.least}.`,
    );
  }
  const names = new Set<string>();
  for (const { name, workloads: usable = [] } of keys) {
    if (names.has(name)) refuse(`Two keys bear the name ${show(name)}: give each its own.`);
    names.add(name);
    const unknown = usable.find((workload) => !Object.hasOwn(workloads, workload));
    if (unknown === undefined) continue;
    const known = Object.keys(workloads).join(', ');
    refuse(
      `The key ${show(name)} names the workload ${show(unknown)}, which is not there; there are: ${known}.`,
    );
  }
}

function refuse(message: string): never {
  throw new SeineError('ERR_ARGUMENT', message);
}
