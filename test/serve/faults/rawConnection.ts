import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Json } from '../harness.ts';

export interface RawResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  text: string;
}

/** A TCP connection to a server, over which anything may be said. Responses must bear their length. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the server has ended or reset the connection. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #open = true;
  readonly #waiting = new Set<() => void>();

  private constructor(url: string, allowHalfOpen: boolean) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen });
    this.closed = new Promise((resolve) => {
      const finish = (): void => {
        this.#open = false;
        this.#wake();
        resolve();
      };
      this.socket.once('end', finish).once('close', finish);
    });
    // A reset is one of the ways in which a server may end a connection.
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
  }

  static async open(
    url: string,
    { allowHalfOpen = false }: { allowHalfOpen?: boolean } = {},
  ): Promise<RawConnection> {
    const connection = new RawConnection(url, allowHalfOpen);
    await once(connection.socket, 'connect');
    return connection;
  }

  /** Writes as it is; waits while the server does not read, until it ends the connection. */
  async send(content: string | Uint8Array): Promise<void> {
    if (!this.#open || this.socket.write(content)) return;
    await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.closed]);
  }

  /** The next response, or `undefined` if the connection ended before one came. */
  async response(): Promise<RawResponse | undefined> {
    while (true) {
      const response = this.#take();
      if (response !== undefined) return response;
      if (!this.#open) return undefined;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The next response's JSON; throws if the connection ended before. */
  async answer(): Promise<{ status: number; headers: Record<string, string>; body: Json }> {
    const response = await this.response();
    if (response === undefined) throw new Error('the connection ended without a response');
    return { status: response.status, headers: response.headers, body: JSON.parse(response.text) };
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(): RawResponse | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const stop = end + 4 + Number(headers['content-length'] ?? 0);
    if (this.#received.length < stop) return undefined;
    const text = this.#received.toString('utf8', end + 4, stop);
    this.#received = this.#received.subarray(stop);
    return { status: Number(first.split(' ')[1]), headers, text };
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A request as it goes over the wire. */
export function rawRequest(
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = {},
): Buffer {
  const content = Buffer.from(body ?? '');
  const all = {
    host: '127.0.0.1',
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': content.length }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    content,
  ]);
}
