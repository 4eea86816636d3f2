import Type, { type Static } from 'typebox';
import { LONGEST_MS, WORKLOADS } from '../admission/workloads.ts';

const share = (description: string, byDefault: number) =>
  Type.Number({ minimum: 0, maximum: 1, default: byDefault, description });

/** Ranking depth under a controller. */
export const DepthSettings = Type.Object(
  {
    least: Type.Integer({
      minimum: 0,
      default: 10,
      description: 'Documents that are ranked even under load.',
    }),
    greatest: Type.Integer({ minimum: 0, default: 50, description: 'Documents that are ranked at rest.' }),
    targetMs: Type.Number({
      exclusiveMinimum: 0,
      maximum: LONGEST_MS,
      default: 500,
      description: 'P99 of latency to hold, ms.',
    }),
  },
  { additionalProperties: false },
);

/** A class of work: what it may take of the server, and how long it may wait. */
export const WorkloadSettings = Type.Object(
  {
    weight: Type.Number({
      exclusiveMinimum: 0,
      default: 1,
      description: 'Share of what is free, in proportion.',
    }),
    minShare: share('Share of the slots that is kept for it whenever it has work.', 0),
    maxShare: share('Share of the slots that it may take while others are idle.', 1),
    queue: Type.Integer({ minimum: 0, default: 64, description: 'Units that may wait; more are refused.' }),
    deadlineMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LONGEST_MS,
        description: 'A unit that would wait longer is refused, ms.',
      }),
    ),
    depth: Type.Optional(DepthSettings),
  },
  { additionalProperties: false },
);

export const ApiKey = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'For logs and metrics.' }),
    key: Type.String({
      minLength: 1,
      description:
        'The secret, 16 ASCII characters or more; or "sha256:" and its hash in hexadecimal; or "file:" and the path of a ' +
        'file that holds it.',
    }),
    write: Type.Boolean({ default: false, description: 'Whether it may upsert and delete.' }),
    workloads: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description: 'Workloads that it may choose; the first by default.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Everything that `seine serve` can be told. Bytes and milliseconds throughout. */
export const Settings = Type.Object(
  {
    index: Type.String({ minLength: 1, description: 'The index; made if it is not there.' }),
    embedder: Type.Optional(Type.String({ description: 'Model that makes vectors: a directory or a name.' })),
    ranker: Type.Optional(
      Type.String({ description: 'Model that ranks the finalists: a directory, a name, or "none".' }),
    ),
    precision: Type.Enum(['f32', 'q8', 'q4'], {
      default: 'f32',
      description: "Of the ranker's matrices, where it has no ONNX graph.",
    }),
    device: Type.Enum(['auto', 'cuda', 'webgpu', 'cpu', 'reference'], {
      default: 'auto',
      description: 'Where vectors are searched.',
    }),
    devices: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        minItems: 1,
        description: 'With device "cuda": the GPUs that share the search, by their number from 0.',
      }),
    ),
    provider: Type.Enum(['cpu', 'webgpu', 'cuda'], { default: 'cpu', description: 'Where models run.' }),
    host: Type.String({
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen on.',
    }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 7700,
      description: 'Port; 0 takes a free one.',
    }),
    keys: Type.Array(ApiKey, {
      default: [],
      description: 'Who may ask; needed unless the host is loopback.',
    }),
    allowedHosts: Type.Array(Type.String(), {
      default: [],
      description: 'Names that the Host header may bear besides the loopback ones.',
    }),
    bodyLimit: Type.Integer({
      minimum: 1024,
      default: 8_388_608,
      description:
        'Bytes of a body at most; of one that is read as it comes (NDJSON), of each line. All bodies under way take ' +
        '32 times as many together.',
    }),
    requestTimeoutMs: Type.Integer({
      minimum: 1,
      maximum: LONGEST_MS,
      default: 30_000,
      description:
        'Milliseconds in which a request must have arrived; of a body that is read as it comes, the next bytes.',
    }),
    headersTimeoutMs: Type.Integer({
      minimum: 1,
      maximum: LONGEST_MS,
      default: 10_000,
      description: "Milliseconds in which a request's headers must have arrived.",
    }),
    keepAliveTimeoutMs: Type.Integer({
      minimum: 1,
      maximum: LONGEST_MS,
      default: 72_000,
      description: 'Milliseconds that an idle connection is kept; let a proxy in front close first.',
    }),
    maxConnections: Type.Integer({ minimum: 1, default: 1024, description: 'Connections at one time.' }),
    drainMs: Type.Integer({
      minimum: 0,
      maximum: LONGEST_MS,
      default: 10_000,
      description: 'Milliseconds that work under way gets on shutdown.',
    }),
    logLevel: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      default: 'info',
      description: 'Least severe line that is logged.',
    }),
    slots: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Units of work at one time (default: one more than threads).',
      }),
    ),
    workloads: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), WorkloadSettings, {
      additionalProperties: false,
      description: 'Classes of work by name.',
    }),
    scoreCache: Type.Object(
      {
        bytes: Type.Integer({
          minimum: 0,
          default: 67_108_864,
          description: 'Memory for scores; 0 keeps none.',
        }),
        file: Type.Optional(
          Type.String({ minLength: 1, description: 'SQLite file that keeps scores across restarts.' }),
        ),
        fileBytes: Type.Optional(
          Type.Integer({ minimum: 1024, description: 'Bytes that scores take in it (default: 1 GiB).' }),
        ),
      },
      { additionalProperties: false, default: {}, description: 'Scores of the ranker that are kept.' },
    ),
  },
  { additionalProperties: false },
);

/** Classes of work that every server has; settings may change them and add others. */
export const DEFAULT_WORKLOADS = {
  ...WORKLOADS,
  interactive: { ...WORKLOADS.interactive, depth: {} },
};

export type Settings = Static<typeof Settings>;
export type ApiKey = Static<typeof ApiKey>;
export type DepthSettings = Static<typeof DepthSettings>;
export type WorkloadSettings = Static<typeof WorkloadSettings>;
