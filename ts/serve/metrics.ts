import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SeineIndex } from '../seineIndex.ts';
import { SCORE_KINDS } from '../store/scoreEntry.ts';
import type { WorkManager } from './admission/workManager.ts';
import type { DepthController, DepthState } from './depth/depthController.ts';

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

/** What is measured elsewhere and read when metrics are asked for. */
export interface MetricSources {
  index: SeineIndex;
  work: WorkManager;
  /** By workload. */
  depths: ReadonlyMap<string, DepthController>;
  version: string;
}

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
    addWork(this.#registry, sources.work);
    addDepths(this.#registry, sources.depths);
    addIndex(this.#registry, sources);
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

/** Counters by workload that the work manager keeps. */
const WORK_COUNTERS = {
  admitted: 'Units of work that were taken.',
  completed: 'Units of work that succeeded.',
  failed: 'Units of work that failed.',
  shed: 'Units of work that were refused on arrival (429).',
  expired: 'Units of work whose deadline passed while they waited (503).',
  cancelled: 'Units of work whose client went or that shutdown ended.',
} as const;

function addWork(registry: Registry, work: WorkManager): void {
  const registers = [registry];
  const labelNames = ['workload'];
  const gauge = (
    name: string,
    help: string,
    of: (state: ReturnType<WorkManager['state']>[string]) => number,
  ) =>
    new Gauge({
      name: `seine_work_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        for (const [workload, state] of Object.entries(work.state())) this.set({ workload }, of(state));
      },
    });
  gauge('running', 'Units of work that run.', ({ running }) => running);
  gauge('waiting', 'Units of work that wait for a slot.', ({ waiting }) => waiting);
  gauge('slots_occupied', 'Slots that the running units occupy.', ({ slots }) => slots);
  gauge(
    'expected_wait_seconds',
    'Wait that a unit can expect that comes now.',
    ({ waitMs }) => waitMs / 1000,
  );
  new Gauge({
    name: 'seine_work_slots',
    help: 'Slots that all workloads share.',
    registers,
    collect() {
      this.set(work.slots);
    },
  });
  const counter = (
    name: string,
    help: string,
    of: (state: ReturnType<WorkManager['state']>[string]) => number,
  ) =>
    new Counter({
      name: `seine_work_${name}_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [workload, state] of Object.entries(work.state())) this.inc({ workload }, of(state));
      },
    });
  for (const [name, help] of Object.entries(WORK_COUNTERS)) {
    counter(name, help, (state) => state[name as keyof typeof WORK_COUNTERS]);
  }
  counter('slot_seconds', 'Slots times seconds that ended units occupied.', ({ slotMs }) => slotMs / 1000);
}

function addDepths(registry: Registry, depths: ReadonlyMap<string, DepthController>): void {
  const gauge = (name: string, help: string, of: (state: DepthState) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['workload'],
      registers: [registry],
      collect() {
        for (const [workload, controller] of depths) {
          const value = of(controller.state());
          if (value !== undefined) this.set({ workload }, value);
        }
      },
    });
  gauge('seine_search_depth', 'Documents that may be ranked for a query now.', ({ depth }) => depth);
  gauge(
    'seine_search_depth_target_seconds',
    'Latency that the depth is set for: 99 % of searches stay within.',
    ({ targetMs }) => targetMs / 1000,
  );
  gauge('seine_search_depth_p99_seconds', 'Latency of 99 % of the latest searches.', ({ p99Ms }) =>
    p99Ms === undefined ? undefined : p99Ms / 1000,
  );
}

function addIndex(registry: Registry, { index, version }: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'seine_info',
    help: 'Version of Seine; always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'seine_index_documents',
    help: 'Documents in the index.',
    registers,
    async collect() {
      this.set((await index.info()).documents);
    },
  });
  new Gauge({
    name: 'seine_index_generation',
    help: 'Generation of the index: it rises with every write.',
    registers,
    async collect() {
      this.set((await index.info()).generation);
    },
  });
  addScoreCache(registers, index);
}

function addScoreCache(registers: Registry[], index: SeineIndex): void {
  const counters = {
    hits: 'Scores that were found in memory.',
    misses: 'Scores that were not found in memory.',
    evictions: 'Scores that made room for others.',
  } as const;
  for (const field of ['hits', 'misses', 'evictions'] as const) {
    new Counter({
      name: `seine_score_cache_${field}_total`,
      help: counters[field],
      labelNames: ['kind'],
      registers,
      collect() {
        this.reset();
        const state = index.cacheState();
        for (const kind of SCORE_KINDS) this.inc({ kind }, state?.memory[kind][field] ?? 0);
      },
    });
  }
  const gauges = { entries: 'Scores in memory.', bytes: 'Memory that scores take.' } as const;
  for (const field of ['entries', 'bytes'] as const) {
    new Gauge({
      name: `seine_score_cache_${field}`,
      help: gauges[field],
      labelNames: ['kind'],
      registers,
      collect() {
        const state = index.cacheState();
        for (const kind of SCORE_KINDS) this.set({ kind }, state?.memory[kind][field] ?? 0);
      },
    });
  }
  new Counter({
    name: 'seine_score_cache_joined_total',
    help: 'Scores that another request was computing when they were asked for.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      const state = index.cacheState();
      for (const kind of SCORE_KINDS) this.inc({ kind }, state?.joined[kind] ?? 0);
    },
  });
}
