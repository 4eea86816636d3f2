import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SeineError, show } from './errors.ts';

/** CPU quota of the control group (v2, then v1) in whole cores, or infinity where there is none. */
function cgroupQuota(): number {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return undefined; // not Linux, or no such controller: no quota
    }
  };
  const v2 = read('/sys/fs/cgroup/cpu.max')?.split(' ');
  const [quota, period] = v2 ?? [
    read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'),
  ];
  const cores = Number(quota) / Number(period);
  return cores > 0 ? Math.max(1, Math.ceil(cores)) : Number.POSITIVE_INFINITY;
}

/**
 * The one thread budget of the process: `SEINE_THREADS`, or the cores that affinity and control groups leave.
 * The addon's pool and ONNX Runtime both take this number.
 */
export function threadBudget(): number {
  const wanted = process.env.SEINE_THREADS;
  if (wanted === undefined || wanted === '') return Math.min(availableParallelism(), cgroupQuota());
  const threads = Number(wanted);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `SEINE_THREADS must be a whole number from 1 to 1024, got ${show(wanted)}.`,
    );
  }
  return threads;
}
