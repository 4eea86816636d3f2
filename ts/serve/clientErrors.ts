import { randomUUID } from 'node:crypto';
import { type OutgoingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../core/errors.ts';

interface ClientFailure {
  status: number;
  code: ErrorCode;
  message: string;
}

/** What Node's HTTP parser refuses, by the code of its error. */
const FAILURES: Record<string, ClientFailure> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'ERR_TIMEOUT',
    message: 'The request did not arrive in time: send it faster, or in smaller parts.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'ERR_TOO_LARGE',
    message: 'The headers are too large: send 16 KiB of them at most.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'ERR_TOO_LARGE',
    message: 'The extensions of a chunk are too large: leave them out.',
  },
};

const MALFORMED: ClientFailure = {
  status: 400,
  code: 'ERR_ARGUMENT',
  message: 'This is not a valid HTTP/1.1 request: correct it.',
};

/**
 * Answers, in the one shape of errors, what fails before there is a request, and closes the connection. Returns the
 * status, or `undefined` if nobody is there to be told.
 */
export function answerClientError(error: { code?: string }, socket: Socket): number | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const { status, code, message } = FAILURES[error.code ?? ''] ?? MALFORMED;
  // As Node's own handler does: an answer that has begun cannot be followed by another one.
  const begun = (socket as Socket & { _httpMessage?: OutgoingMessage })._httpMessage?.headersSent === true;
  if (!begun) {
    const requestId = randomUUID();
    const body = JSON.stringify({ error: { code, message, requestId } });
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nx-request-id: ${requestId}\r\n` +
        'content-type: application/json; charset=utf-8\r\nconnection: close\r\n' +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
  return status;
}
