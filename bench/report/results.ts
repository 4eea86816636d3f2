import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Compared } from '../measure/compared.ts';
import type { Origin } from '../measure/resultFile.ts';
import type { Spread, Summary } from '../measure/summary.ts';
import type { Form } from '../rank/postings.ts';
import type { Gpu } from '../roofline/gpus.ts';
import type { FormCase } from '../scan/forms.ts';
import type { ManyBest } from '../scan/manyBest.ts';
import type { Measured } from '../scan/measure.ts';

export interface ScanResult extends Origin {
  note: string;
  cases: Measured[];
  /** Not in results of earlier versions. */
  forms?: FormCase[];
  manyBest?: ManyBest[];
}

export interface FilterCase extends Summary {
  layout: 'random' | 'clustered';
  /** Of the rows that pass, 0 to 1. */
  share: number;
  passing: number;
  batch: number;
  /** Share of the ids at the same places as those of the listed rows; FAISS orders by float32 scores. */
  sameIds: Record<string, number>;
}

export interface FilterResult extends Origin {
  note: string;
  rows: number;
  dim: number;
  k: number;
  cases: FilterCase[];
}

export interface CallersResult extends Origin {
  note: string;
  /** Of a search of a thousand rows. */
  call: { rows: number; microseconds: { search: number; addon: number } };
  /** Queries a second, by the size of a batch of one caller, and by callers with one query each. */
  throughput: {
    rows: number;
    batches: Record<string, Spread>;
    callers: Record<string, Spread>;
    /** 32 callers against the best batch of any size, and against a batch of 32 queries. */
    ofBestBatch: Spread;
    ofBatchOf32: Spread;
  };
  /** Milliseconds by which timers are late. */
  eventLoop: { rows: number; scanning: Delay; idle: Delay };
}

export interface Delay {
  median: number;
  p99: number;
}

export interface AppendResult extends Origin {
  note: string;
  rows: number;
  dim: number;
  /** `chunk`: rows of each append. */
  cases: (Summary & { chunk: number })[];
}

export interface OpenResult extends Origin, Summary {
  note: string;
  documents: number;
  bytes: number;
}

export interface EncodeCase extends Compared {
  form: Form;
  texts: number;
  tokens: number;
  /** By the medians. */
  tokensPerSecond: Record<string, number>;
}

export interface EncodeResult extends Origin {
  note: string;
  model: string;
  cases: EncodeCase[];
}

export interface RankCase extends Compared {
  model: string;
  form: Form;
  items: number;
  /** By the medians. */
  itemsPerSecond: Record<string, number>;
}

/** How latency and throughput grow with the items of a call. */
export interface Knee {
  model: string;
  form: Form;
  way: string;
  points: { items: number; ms: number; itemsPerSecond: number }[];
}

export interface RankResult extends Origin {
  note: string;
  cases: RankCase[];
  /** Not in results of earlier versions. */
  kneesNote?: string;
  knees?: Knee[];
}

export interface RooflineResult extends Origin {
  note: string;
  gpus: Gpu[];
  occupancy: {
    kernel: string;
    gpu: string;
    registers: number;
    shared: number;
    spills: number;
    /** Of a multiprocessor. */
    blocks: number;
    occupancy: number;
    limit: string;
  }[];
  certified: {
    gpu: string;
    rows: number;
    dim: number;
    batch: number;
    bound: 'memory' | 'products';
    ms: number;
    queriesPerSecond: number;
  }[];
  maxsim: {
    gpu: string;
    documents: number;
    /** Of a document, and of a query. */
    tokens: number;
    queryTokens: number;
    dim: number;
    batch: number;
    bound: 'memory' | 'products';
    ms: number;
    queriesPerSecond: number;
  }[];
}

/** Ratios are those of the whole model. */
export interface PruneCase extends Summary {
  model: string;
  kind: 'neurons' | 'heads' | 'layers';
  /** Share of each layer's, or number of layers. */
  amount: number;
  /** Share of all parameters. */
  parametersLeft: number;
  /** By method. */
  errors: Record<string, number>;
}

export interface PruneResult extends Origin {
  note: string;
  cases: PruneCase[];
}

export interface WebgpuCase extends Summary {
  batch: number;
  /** Share of the ids at the same places as Seine's; others order by float32 scores. */
  sameIds: Record<string, number>;
  /** Of a search: bytes that kernels move, of the fewest readings of the rows; and what the host sees. */
  work: Record<string, { ofFloor: number; submits: number; dispatches: number; bytesRead: number }>;
}

export interface WebgpuResult extends Origin {
  note: string;
  rows: number;
  dim: number;
  k: number;
  /** Whether a processor imitated the GPU. */
  software: boolean;
  /** Queries that one reading of the rows served; the floor of bytes is of such readings. */
  queriesPerPass: number;
  cases: WebgpuCase[];
}

/** What `bench/results/` holds; a benchmark that was never run is missing. */
export interface Results {
  /** One for each instruction set that it was run with. */
  scans: ScanResult[];
  filter?: FilterResult;
  callers?: CallersResult;
  append?: AppendResult;
  open?: OpenResult;
  encode?: EncodeResult;
  rank?: RankResult;
  roofline?: RooflineResult;
  prune?: PruneResult;
  webgpu?: WebgpuResult;
}

const FOLDER = 'bench/results';

export function readResults(): Results {
  const scans = readdirSync(FOLDER).filter((name) => /^scan-\w+\.json$/.test(name));
  const results: Results = { scans: scans.sort().map(read<ScanResult>) };
  const others = [
    'filter',
    'callers',
    'append',
    'open',
    'encode',
    'rank',
    'roofline',
    'prune',
    'webgpu',
  ] as const;
  for (const name of others) {
    if (existsSync(`${FOLDER}/${name}.json`)) Object.assign(results, { [name]: read(`${name}.json`) });
  }
  return results;
}

const read = <T>(name: string): T => JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8'));
