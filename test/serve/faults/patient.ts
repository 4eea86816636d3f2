/** Workloads in which nobody waits too long, however slow the machine is. */
export const PATIENT = {
  interactive: { deadlineMs: 600_000 },
  bulk: { deadlineMs: 600_000 },
  judge: { deadlineMs: 600_000 },
};
