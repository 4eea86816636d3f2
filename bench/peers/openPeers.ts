import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Peer } from './peer.ts';

/** Peers by the npm packages that they take; these are installed into `.cache/` when they are first asked for. */
const PACKAGES: Record<string, string[]> = {
  usearch: ['usearch'],
  hnswlib: ['hnswlib-node'],
  lancedb: ['@lancedb/lancedb'],
  sqliteVec: ['sqlite-vec', 'better-sqlite3@12'],
  tfjsWebgpu: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'],
  onnxWebgpu: [], // of Seine's own dependencies
  transformersJs: ['@huggingface/transformers'],
};
/** Peers in Python, by their file. `SEINE_BENCH_PYTHON` names the interpreter. */
const IN_PYTHON = ['faiss', 'torch', 'trainTorch', 'sentenceTransformers'];

export type PeerName =
  | 'faiss'
  | 'torch'
  | 'trainTorch'
  | 'sentenceTransformers'
  | 'usearch'
  | 'hnswlib'
  | 'lancedb'
  | 'sqliteVec'
  | 'tfjsWebgpu'
  | 'onnxWebgpu'
  | 'transformersJs';
/** Those that search on processors. */
export const PEERS: PeerName[] = ['faiss', 'torch', 'usearch', 'hnswlib', 'lancedb', 'sqliteVec'];

export interface Peers {
  /** Those that could be started, by name. */
  started: Map<string, Peer>;
  /** Of their libraries; 'missing' for those that could not be started. */
  versions: Record<string, string>;
  stop(): void;
}

/** Starts the named peers; one that cannot be had is shown as missing. */
export async function openPeers(names: readonly PeerName[]): Promise<Peers> {
  const started = new Map<string, Peer>();
  const versions: Record<string, string> = {};
  for (const name of names) {
    const peer = await (IN_PYTHON.includes(name) ? startPython(name) : startPackage(name));
    if (peer === undefined) versions[name] = 'missing';
    else started.set(name, peer);
    Object.assign(versions, peer?.versions);
  }
  return {
    started,
    versions,
    stop() {
      for (const peer of started.values()) peer.stop();
    },
  };
}

const startPython = (name: string): Promise<Peer | undefined> =>
  Peer.start(process.env.SEINE_BENCH_PYTHON ?? 'python3', ['-B', `bench/peers/${name}.py`]);

async function startPackage(name: string): Promise<Peer | undefined> {
  const folder = `.cache/peers/${name}`;
  mkdirSync(folder, { recursive: true });
  try {
    if (PACKAGES[name]!.length === 0)
      return Peer.start(process.execPath, [`bench/peers/${name}.mjs`, folder]);
    const quietly = ['--no-save', '--no-fund', '--no-audit', '--prefix', folder];
    execFileSync('npm', ['install', ...quietly, ...PACKAGES[name]!], {
      stdio: 'ignore',
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }, // its CUDA libraries are not wanted
      shell: process.platform === 'win32',
    });
  } catch {
    return undefined;
  }
  return Peer.start(process.execPath, [`bench/peers/${name}.mjs`, folder]);
}
