import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** What waits for the end of the answers of each connection. */
const waiting = new WeakMap<Socket, Set<() => void>>();

function waitingFor(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known !== undefined) return known;
  const ends = new Set<() => void>();
  waiting.set(socket, ends);
  // One listener however many requests are pipelined.
  socket.once('close', () => {
    for (const end of [...ends]) end();
  });
  return ends;
}

/**
 * Calls back once when an answer has ended: with true if it was sent, with false if the client went before; at once if
 * it has gone already. The answer's own `close` is not enough: one that waits behind another of its connection has no
 * socket yet, and never hears that the connection is gone.
 */
export function onAnswerEnd({ raw, request }: FastifyReply, callback: (sent: boolean) => void): void {
  const { socket } = request.raw;
  const ends = waitingFor(socket);
  const end = (): void => {
    if (ends.delete(end)) callback(raw.writableFinished);
  };
  ends.add(end);
  raw.once('close', end);
  if (raw.closed || socket.closed) end();
}
