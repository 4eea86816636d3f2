import { setTimeout as sleep } from 'node:timers/promises';

/** One figure of a workload, by its name in the metrics: `running`, `cancelled_total`, … */
export async function workFigure(url: string, name: string, workload = 'interactive'): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const found = new RegExp(`^seine_work_${name}\\{workload="${workload}"\\} (\\S+)$`, 'm').exec(metrics);
  if (found === null) throw new Error(`the metrics should tell ${name} of the workload ${workload}`);
  return Number(found[1]);
}

/** Requests that are under way, the one that asks included. */
export async function inFlight(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^seine_http_requests_in_flight (\d+)$/m.exec(metrics)?.[1]);
}

/** Resolves when so many requests are under way, the one that asks included. */
export async function requestsUnderWay(url: string, count: number): Promise<void> {
  while ((await inFlight(url)) !== count) await sleep(2);
}

/** Resolves when nothing runs or waits any more. */
export async function idle(url: string): Promise<void> {
  for (const workload of ['interactive', 'bulk', 'judge']) {
    for (const name of ['running', 'waiting']) {
      while ((await workFigure(url, name, workload)) > 0) await sleep(10);
    }
  }
}
