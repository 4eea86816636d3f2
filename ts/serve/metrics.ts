import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { addStateMetrics, type MetricSources } from './stateMetrics.ts';

/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is told of the process is the same for all servers in it, and is measured once. */
let ofProcess: Registry | undefined;

function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Where the time of a request goes; `wait` is that before it was its turn. */
export type Stage = 'wait' | 'understand' | 'retrieve' | 'rank' | 'respond';

const STAGES: readonly string[] = [
  'wait',
  'understand',
  'retrieve',
  'rank',
  'respond',
] satisfies readonly Stage[];

/** The metrics of one server, for Prometheus. Times are in seconds there and in milliseconds here. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram;
  readonly #underWay: Gauge;
  readonly #connections: Gauge;
  readonly #refused: Counter;
  readonly #clientErrors: Counter;
  readonly #stages: Histogram;
  readonly #ranked: Counter;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: 'seine_http_request_duration_seconds',
      help: 'Time from the first line of a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers,
    });
    this.#underWay = new Gauge({
      name: 'seine_http_requests_in_flight',
      help: 'Requests that have begun and are not answered yet.',
      registers,
    });
    this.#connections = new Gauge({
      name: 'seine_http_connections',
      help: 'Connections that are open.',
      registers,
    });
    this.#refused = new Counter({
      name: 'seine_http_connections_refused_total',
      help: 'Connections that were closed at once, as maxConnections were open.',
      registers,
    });
    this.#clientErrors = new Counter({
      name: 'seine_http_client_errors_total',
      help: 'Requests that failed before a route could be found: too slow, headers too large, not HTTP.',
      labelNames: ['status'],
      registers,
    });
    this.#stages = new Histogram({
      name: 'seine_stage_duration_seconds',
      help: 'Time of a request in each stage; "wait" is that before its workload had room.',
      labelNames: ['stage', 'workload'],
      buckets: BUCKETS,
      registers,
    });
    this.#ranked = new Counter({
      name: 'seine_ranked_documents_total',
      help: 'Documents that got a score of the ranker, remembered or computed.',
      labelNames: ['workload'],
      registers,
    });
    addStateMetrics(this.#registry, sources);
  }

  /** A request begins; the function that is returned is called once when its answer has ended. */
  request(): (method: string, route: string, status: number, ms: number) => void {
    this.#underWay.inc();
    return (method, route, status, ms) => {
      this.#underWay.dec();
      this.#requests.observe({ method, route, status }, ms / 1000);
    };
  }

  connectionOpened(): void {
    this.#connections.inc();
  }

  connectionClosed(): void {
    this.#connections.dec();
  }

  connectionRefused(): void {
    this.#refused.inc();
  }

  clientError(status: number): void {
    this.#clientErrors.inc({ status });
  }

  /** Milliseconds by stage of one request; other fields are left out. */
  stages(workload: string, timings: Partial<Record<Stage, number>>): void {
    for (const [stage, ms] of Object.entries(timings)) {
      if (STAGES.includes(stage)) this.#stages.observe({ stage, workload }, ms / 1000);
    }
  }

  /** Documents that the ranker's scores put in order. */
  ranked(workload: string, documents: number): void {
    this.#ranked.inc({ workload }, documents);
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return Registry.merge([processRegistry(), this.#registry]).metrics();
  }
}
