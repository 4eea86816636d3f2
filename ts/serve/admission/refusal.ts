import { show } from '../../core/errors.ts';
import { expectedWait } from './expectedWait.ts';
import type { Lane, Unit } from './lane.ts';
import { OverloadError } from './overloadError.ts';

/** What is advised as long as no service time has been measured. */
const RETRY_MS = 1000;

/** Why a unit that cannot start at once, and stands last in its line, may not wait; `undefined` if it may. */
export function refusal(unit: Unit, lanes: readonly Lane[], slots: number): OverloadError | undefined {
  const { lane, deadlineMs } = unit;
  const name = show(lane.name);
  const waitMs = expectedWait(lane, lane.wanted, lanes, slots);
  const ahead = lane.line.length - 1;
  if (ahead >= lane.settings.queue) {
    const retryMs = waitMs === 0 ? RETRY_MS : Math.ceil(waitMs / 2);
    return new OverloadError(
      `The queue of the workload ${name} is full, ${ahead} wait: try again in ${retryMs} ms.`,
      retryMs,
    );
  }
  if (waitMs <= deadlineMs || lane.running + ahead === 0) return undefined;
  const retryMs = Math.ceil(Math.max(waitMs / 2, waitMs - deadlineMs));
  return new OverloadError(
    `This would wait for about ${Math.ceil(waitMs)} ms in the workload ${name}, longer than its deadline of ` +
      `${deadlineMs} ms: try again in ${retryMs} ms or allow more time.`,
    retryMs,
  );
}
