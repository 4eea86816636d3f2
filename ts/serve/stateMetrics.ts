import { Counter, Gauge, type Registry } from 'prom-client';
import type { SeineIndex } from '../seineIndex.ts';
import { SCORE_KINDS, type ScoreKind, type ScoreTierState } from '../store/scoreEntry.ts';
import type { WorkManager } from './admission/workManager.ts';
import type { DepthController, DepthState } from './depth/depthController.ts';

/** What is measured elsewhere and read when metrics are asked for. */
export interface MetricSources {
  index: SeineIndex;
  work: WorkManager;
  /** By workload. */
  depths: ReadonlyMap<string, DepthController>;
  version: string;
}

/** Adds the metrics that are read where they are kept, at the time that somebody asks for them. */
export function addStateMetrics(registry: Registry, sources: MetricSources): void {
  addWork(registry, sources.work);
  addDepths(registry, sources.depths);
  addIndex(registry, sources);
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
  const gauge = (field: 'documents' | 'generation', help: string) =>
    new Gauge({
      name: `seine_index_${field}`,
      help,
      registers,
      async collect() {
        try {
          this.set((await index.info())[field]);
        } catch {
          // The other metrics are wanted most when a part has failed; `/readyz` says which.
          this.remove();
        }
      },
    });
  gauge('documents', 'Documents in the index; absent if it cannot be read.');
  gauge('generation', 'Generation of the index: it rises with every write; absent if it cannot be read.');
  addScoreCache(registers, index);
}

function addScoreCache(registers: Registry[], index: SeineIndex): void {
  /** By tier; the file is there if the settings name one. */
  const tiers = (): [tier: string, state: Record<ScoreKind, ScoreTierState>][] => {
    const state = index.cacheState();
    if (state === undefined) return [];
    return [
      ['memory', state.memory],
      ...(state.file === undefined ? [] : [['file', state.file] as [string, typeof state.file]]),
    ];
  };
  const labelNames = ['kind', 'tier'];
  const counters = {
    hits: 'Scores that were found; the file is asked for what memory lacks.',
    misses: 'Scores that were not found.',
    evictions: 'Scores that made room for others.',
  } as const;
  for (const field of ['hits', 'misses', 'evictions'] as const) {
    new Counter({
      name: `seine_score_cache_${field}_total`,
      help: counters[field],
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [tier, state] of tiers()) {
          for (const kind of SCORE_KINDS) this.inc({ kind, tier }, state[kind][field]);
        }
      },
    });
  }
  const gauges = {
    entries: 'Scores that are kept.',
    bytes: 'Memory, or bytes of the file, that scores take.',
  };
  for (const field of ['entries', 'bytes'] as const) {
    new Gauge({
      name: `seine_score_cache_${field}`,
      help: gauges[field],
      labelNames,
      registers,
      collect() {
        for (const [tier, state] of tiers()) {
          for (const kind of SCORE_KINDS) this.set({ kind, tier }, state[kind][field]);
        }
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
  new Counter({
    name: 'seine_score_cache_skipped_total',
    help: 'Scores that the file was not asked for, as too many reads waited.',
    registers,
    collect() {
      this.reset();
      this.inc(index.cacheState()?.file?.skipped ?? 0);
    },
  });
  new Counter({
    name: 'seine_score_cache_dropped_total',
    help: 'Scores that were not written to the file: too many waited, or it could not be written.',
    registers,
    collect() {
      this.reset();
      this.inc(index.cacheState()?.file?.dropped ?? 0);
    },
  });
}
