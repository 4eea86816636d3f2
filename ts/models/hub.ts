import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import { WEIGHTS, weightFiles } from '../graph/checkpoint.ts';
import { externalData } from './externalData.ts';
import { GRAPHS, OPTIONAL_FILES } from './layout.ts';

/** Bytes of one file that are there, of its total. */
export interface HubProgress {
  file: string;
  done: number;
  total: number;
}

export interface HubOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

/** How often a file is taken up again where the connection broke. */
const ATTEMPTS = 4;

export const isHubName = (name: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name);

/**
 * Fetches a model of the Hugging Face hub (`SEINE_HUB` names another) into `directory`, which appears only when every
 * file is there and its checksum is right. What an interrupted call left is continued. Errors: `ERR_MODEL` if the hub
 * does not give it, `ERR_DISK` if it cannot be written.
 */
export async function downloadModel(
  name: string,
  directory: string,
  options: HubOptions = {},
): Promise<void> {
  try {
    await fetchModel(name, directory, options);
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new SeineError(
      'ERR_DISK',
      `The model ${name} should be written to ${directory} but cannot (${error.message}): free space there, or name ` +
        'another directory in SEINE_CACHE.',
      { cause: error },
    );
  }
}

/** An error of the file system, which has a `path`; those of the network have none. */
const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && ('path' in error || error.syscall === 'write');

async function fetchModel(name: string, directory: string, options: HubOptions): Promise<void> {
  const staging = `${directory}.partial`;
  await mkdir(staging, { recursive: true });
  const hub = (process.env.SEINE_HUB || 'https://huggingface.co').replace(/\/+$/, '');
  let revision = 'main';

  const fetchFile = async (file: string): Promise<boolean> => {
    const address = (): string => `${hub}/${name}/resolve/${revision}/${file}`;
    const remote = await look(address(), options.signal);
    if (remote === undefined) return false;
    // From the first answer on, every file is of the same commit.
    if (revision === 'main' && remote.commit !== undefined) revision = remote.commit;
    const report = (done: number): void => options.onProgress?.({ file, done, total: remote.size });
    await download(address(), remote, join(staging, file), report, options.signal);
    return true;
  };
  const require = async (file: string): Promise<void> => {
    if (await fetchFile(file)) return;
    throw new SeineError(
      'ERR_MODEL',
      `The model ${name} on ${hub} should have ${file} but has not: check the name, or choose a model with an ONNX ` +
        'export or safetensors.',
    );
  };

  await require('config.json');
  await require('tokenizer.json');
  for (const file of OPTIONAL_FILES) await fetchFile(file);
  let found: string | undefined;
  for (const file of [...GRAPHS, ...WEIGHTS]) {
    if (found === undefined && (await fetchFile(file))) found = file;
  }
  if (found === undefined) await require(WEIGHTS[0]);
  else if (found === WEIGHTS[1]) {
    for (const file of weightFiles(staging)) if (file !== found) await require(file);
  } else if (found !== WEIGHTS[0]) {
    for (const weights of await externalData(join(staging, found))) {
      await require(join(dirname(found), weights).replaceAll('\\', '/'));
    }
  }
  try {
    await rename(staging, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
    await rm(staging, { recursive: true, force: true }); // another process was faster
  }
}

interface Remote {
  size: number;
  /** SHA-256 of the content, or the SHA-1 that git gives a blob. */
  digest: string;
  commit: string | undefined;
}

/** Size and checksum of a file, which only the hub's own answer has, not that of the storage it redirects to. */
async function look(url: string, signal: AbortSignal | undefined): Promise<Remote | undefined> {
  let at = url;
  for (let hops = 0; hops < 5; hops++) {
    const response = await request(at, { method: 'HEAD', redirect: 'manual' }, signal);
    const location = response.headers.get('location');
    if (response.status === 404) return undefined;
    if (response.status >= 400) throw refused(url, `status ${response.status}`);
    const linked = response.headers.get('x-linked-etag');
    if (linked === null && location !== null) {
      at = new URL(location, at).href;
      continue;
    }
    const digest = (linked ?? response.headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
    const size = Number(
      response.headers.get('x-linked-size') ?? response.headers.get('content-length') ?? NaN,
    );
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digest) || !Number.isSafeInteger(size)) {
      throw refused(url, 'no size or checksum in the answer');
    }
    return { size, digest, commit: response.headers.get('x-repo-commit') ?? undefined };
  }
  throw refused(url, 'too many redirects');
}

async function download(
  url: string,
  remote: Remote,
  target: string,
  onProgress: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = `${target}.${remote.digest}.part`;
  if ((await sizeOf(target)) === remote.size && (await digestOf(target, remote)) === remote.digest) return;
  await mkdir(dirname(target), { recursive: true });
  for (const file of await readdir(dirname(target))) {
    // What is left of another version of the file.
    if (file.startsWith(`${basename(target)}.`) && file.endsWith('.part') && file !== basename(part)) {
      await rm(join(dirname(target), file));
    }
  }
  for (let attempt = 1; (await sizeOf(part)) !== remote.size; attempt++) {
    try {
      await continueDownload(url, part, remote.size, onProgress, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt === ATTEMPTS || isFileError(error)) throw error;
      await setTimeout(100 * 2 ** attempt);
    }
  }
  if ((await digestOf(part, remote)) !== remote.digest) {
    await rm(part);
    throw refused(url, 'the checksum of what came is wrong');
  }
  await rename(part, target);
}

async function continueDownload(
  url: string,
  part: string,
  total: number,
  onProgress: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const there = await sizeOf(part);
  let done = there > 0 && there < total ? there : 0;
  const headers: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {};
  const response = await request(url, { headers }, signal);
  if (!response.ok || response.body === null) throw refused(url, `status ${response.status}`);
  if (response.status !== 206) done = 0; // the server sends the whole file, range or not
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      onProgress(done);
      next(done > total ? refused(url, `more than the ${total} bytes announced`) : null, chunk);
    },
  });
  const sink = createWriteStream(part, { flags: done > 0 ? 'a' : 'w' });
  try {
    await pipeline(Readable.fromWeb(response.body), count, sink);
  } catch (error) {
    if (error instanceof SeineError || isFileError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw refused(url, `the connection broke: ${message}`, error);
  }
  if (done !== total) throw refused(url, `${done} of ${total} bytes came`);
}

async function request(
  url: string,
  init: { method?: string; redirect?: 'manual'; headers?: Record<string, string> },
  signal: AbortSignal | undefined,
): Promise<Response> {
  try {
    // Sizes and ranges are those of the file only if it is sent as it is.
    const headers = { ...init.headers, 'accept-encoding': 'identity' };
    return await fetch(url, { ...init, headers, signal: signal ?? null });
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw refused(url, cause instanceof Error ? cause.message : String(cause), error);
  }
}

function refused(url: string, what: string, cause?: unknown): SeineError {
  return new SeineError(
    'ERR_MODEL',
    `${url} should give a file of a model but did not (${what}): try again, or fetch the model by other means into ` +
      'a directory of SEINE_MODELS.',
    { cause },
  );
}

/** -1 where there is no file. */
const sizeOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => -1,
  );

async function digestOf(path: string, { digest, size }: Remote): Promise<string> {
  const hash = createHash(digest.length === 64 ? 'sha256' : 'sha1');
  if (digest.length === 40) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
