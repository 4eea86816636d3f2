import { type FileHandle, open } from 'node:fs/promises';
import { SeineError } from '../core/errors.ts';

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_EXTERNAL_DATA = 13;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/**
 * Names of the files, relative to the graph's directory, in which an ONNX graph keeps its weights. Only headers are
 * read, so a graph of gigabytes costs little. Throws `ERR_MODEL` if the file is no protocol buffer or a name leads
 * out of the directory.
 */
export async function externalData(path: string): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const reader = new Reader(file, path);
    const names = new Set<string>();
    await reader.fields(0, (await file.stat()).size, async (field, start, end) => {
      if (field !== MODEL_GRAPH) return;
      await reader.fields(start, end, async (inner, from, to) => {
        if (inner !== GRAPH_INITIALIZER) return;
        await reader.fields(from, to, async (part, first, last) => {
          if (part !== TENSOR_EXTERNAL_DATA) return;
          const entry = new Map<number, string>();
          await reader.fields(first, last, async (key, a, b) => {
            entry.set(key, (await reader.bytes(a, b)).toString('utf8'));
          });
          if (entry.get(ENTRY_KEY) === 'location') names.add(entry.get(ENTRY_VALUE) ?? '');
        });
      });
    });
    for (const name of names) {
      if (name === '' || /^([\\/]|[a-z]:)/i.test(name) || name.split(/[\\/]/).includes('..')) {
        throw new SeineError(
          'ERR_MODEL',
          `${path} should keep its weights beside itself but names ${JSON.stringify(name)}: export the model again.`,
        );
      }
    }
    return [...names].sort();
  } finally {
    await file.close();
  }
}

type Visit = (field: number, start: number, end: number) => Promise<void>;

class Reader {
  readonly #file: FileHandle;
  readonly #path: string;
  #window: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Calls `visit` with the range of each length-delimited field in `[start, end)`, one after the other. */
  async fields(start: number, end: number, visit: Visit): Promise<void> {
    let at = start;
    const varint = async (): Promise<number> => {
      let value = 0;
      for (let shift = 0; shift < 70; shift += 7) {
        const [byte] = await this.bytes(at, at + 1);
        at++;
        value += (byte! & 0x7f) * 2 ** shift;
        if (byte! < 0x80) return value;
      }
      throw this.#damaged();
    };
    while (at < end) {
      const tag = await varint();
      const wire = tag & 7;
      if (wire === 0) await varint();
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire === 2) {
        const length = await varint();
        const from = at;
        at += length;
        if (at > end) throw this.#damaged();
        await visit(Math.floor(tag / 8), from, at);
      } else throw this.#damaged();
    }
  }

  async bytes(start: number, end: number): Promise<Buffer> {
    if (start < this.#at || end > this.#at + this.#window.length) {
      const window = Buffer.allocUnsafe(Math.max(65_536, end - start));
      const { bytesRead } = await this.#file.read(window, 0, window.length, start);
      if (bytesRead < end - start) throw this.#damaged();
      this.#window = window.subarray(0, bytesRead);
      this.#at = start;
    }
    return this.#window.subarray(start - this.#at, end - this.#at);
  }

  #damaged(): SeineError {
    return new SeineError(
      'ERR_MODEL',
      `${this.#path} should be an ONNX graph but its structure is damaged: fetch or export the model again.`,
    );
  }
}
