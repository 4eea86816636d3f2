import type { FastifyReply, FastifyRequest } from 'fastify';
import { SeineError, show } from '../core/errors.ts';
import { clientSignal } from './clientSignal.ts';
import type { Service } from './service.ts';

/** How a route wants to be admitted. */
export interface Admission {
  /** Class of work if neither the request nor its key names one, `interactive` by default. */
  workload?: string | undefined;
  /** Milliseconds from now: the work may not start later. The workload's own by default, none if `begun`. */
  deadlineMs?: number | undefined;
  /** Whether this goes on with what an earlier slice has begun: it is not refused then, but waits its turn. */
  begun?: boolean | undefined;
}

/** What a task knows of its turn. */
export interface Turn {
  workload: string;
  /** Milliseconds that it waited. */
  waitMs: number;
  /** What is left of the admission's deadline, if it has one. */
  deadlineMs: number | undefined;
  /** Aborts when the client goes or the server stops. */
  signal: AbortSignal;
}

/**
 * Runs a request's work when it is its turn. A long job passes through here slice by slice, about 20 ms each, of which
 * only the first may be refused for want of room. Errors:
 * ERR_ARGUMENT (no such workload), ERR_FORBIDDEN (the key may not use it), ERR_OVERLOADED, ERR_DEADLINE, ERR_CLOSED,
 * and those of the task.
 */
export async function admitted<T>(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  { workload: byDefault = 'interactive', deadlineMs, begun }: Admission,
  task: (turn: Turn) => Promise<T>,
): Promise<T> {
  const { work, metrics } = service;
  const workload = workloadOf(service, request, byDefault);
  request.workload = workload;
  const asked = performance.now();
  return work.run(
    workload,
    (signal) => {
      const waitMs = performance.now() - asked;
      metrics.stages(workload, { wait: waitMs });
      const left = deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - waitMs);
      return task({ workload, waitMs, deadlineMs: left, signal });
    },
    { deadlineMs, begun, signal: clientSignal(reply) },
  );
}

/** The workload that the request names, else the first of its key, else the route's. */
function workloadOf({ settings }: Service, request: FastifyRequest, byDefault: string): string {
  const given = request.headers['x-seine-workload'];
  const { apiKey } = request;
  if (given === undefined) return apiKey?.workloads?.[0] ?? byDefault;
  const usable = apiKey?.workloads ?? Object.keys(settings.workloads);
  if (typeof given === 'string' && usable.includes(given)) return given;
  const choice = `there are: ${usable.join(', ')}.`;
  if (typeof given === 'string' && Object.hasOwn(settings.workloads, given)) {
    throw new SeineError(
      'ERR_FORBIDDEN',
      `The key ${show(apiKey?.name)} may not use the workload ${show(given)}; for it ${choice}`,
    );
  }
  throw new SeineError('ERR_ARGUMENT', `There is no workload ${show(given)}; ${choice}`);
}
