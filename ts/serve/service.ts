import type { FastifyReply } from 'fastify';
import type { SeineError } from '../core/errors.ts';
import type { SeineIndex } from '../seineIndex.ts';
import { WorkManager } from './admission/workManager.ts';
import { BodyBudget } from './bodyBudget.ts';
import { DepthController } from './depth/depthController.ts';
import type { KeyRing } from './keys.ts';
import { Metrics } from './metrics.ts';
import { slotsOf } from './settings/checkSettings.ts';
import type { Settings } from './settings/schema.ts';

/** Bodies of `bodyLimit` that are held at one time. */
const BODIES = 32;

/** What the routes work with. */
export interface Service {
  readonly index: SeineIndex;
  readonly settings: Settings;
  /** Of the package. */
  readonly version: string;
  readonly keys: KeyRing;
  /** What all work passes through: see `admitted`. */
  readonly work: WorkManager;
  /** What sets the ranking depth, of those workloads for which the settings want it. */
  readonly depths: ReadonlyMap<string, DepthController>;
  readonly metrics: Metrics;
  /** What the bodies of all requests take together. */
  readonly bodies: BodyBudget;
  /** Answers that are not sent yet. */
  readonly answers: Set<FastifyReply>;
  /** True once the server has been told to stop: it is no longer ready. */
  draining: boolean;
  /** Why a part of the index works no more, until the server is started again. */
  failure: SeineError | undefined;
}

/** The parts of a service over an open index. */
export function createService(
  index: SeineIndex,
  settings: Settings,
  { keys, version }: Pick<Service, 'keys' | 'version'>,
): Service {
  const { workloads } = settings;
  const work = new WorkManager({ slots: slotsOf(settings), workloads });
  const depths = new Map<string, DepthController>();
  for (const [name, { depth }] of Object.entries(workloads)) {
    if (depth !== undefined) depths.set(name, new DepthController(depth));
  }
  const metrics = new Metrics({ index, work, depths, version });
  const service: Service = {
    index,
    settings,
    version,
    keys,
    work,
    depths,
    metrics,
    bodies: new BodyBudget(BODIES * settings.bodyLimit),
    answers: new Set(),
    draining: false,
    failure: undefined,
  };
  void index.failed.then((failure) => {
    service.failure = failure;
  });
  return service;
}
