/**
 * Every error of Seine is a `SeineError` with a stable code. This table is the only place that says
 * what a code means to a shell (exit status) and to an HTTP client (status).
 *
 * Exit codes: 0 success, 2 arguments, 3 a prerequisite is missing, 4 a resource ran out, 5 data is not valid,
 * 6 failure at run time, 130 interrupted.
 */
export const ERRORS = {
  /** An argument, option or field of a request has the wrong type or value. */
  ERR_ARGUMENT: { exit: 2, status: 400 },
  /** A vector or matrix does not have the dimension that the rows have. */
  ERR_DIMENSION: { exit: 2, status: 400 },
  /** NaN or infinity where a finite number is needed. */
  ERR_NOT_FINITE: { exit: 2, status: 400 },
  /** A finite number is too large for the storage type that was asked for. */
  ERR_OVERFLOW: { exit: 2, status: 400 },
  /** A filter expression is malformed, or names an unknown attribute, or compares other types. */
  ERR_FILTER: { exit: 2, status: 400 },
  /** A device was asked for by name and is not there. */
  ERR_DEVICE_UNAVAILABLE: { exit: 3, status: 503 },
  /** A device failed while it worked: the next call may succeed. */
  ERR_DEVICE: { exit: 6, status: 500 },
  /** A device was lost: nothing runs on it until the process is started anew. */
  ERR_DEVICE_LOST: { exit: 6, status: 500 },
  /** Memory of a device or of the host does not suffice; the message names bytes wanted and free. */
  ERR_OUT_OF_MEMORY: { exit: 4, status: 507 },
  /** Used after close or dispose. */
  ERR_CLOSED: { exit: 6, status: 503 },
  /** A file or directory that was named is not there or cannot be read. */
  ERR_NOT_FOUND: { exit: 3, status: 404 },
  /** The disk is full or not writable. */
  ERR_DISK: { exit: 4, status: 507 },
  /** Another process is writing to the index. */
  ERR_LOCKED: { exit: 4, status: 409 },
  /** The index was written by a newer version of Seine. */
  ERR_VERSION: { exit: 3, status: 500 },
  /** A file is damaged: checksum or structure are wrong. */
  ERR_CORRUPT: { exit: 5, status: 500 },
  /** A line, document or file of the input is not valid. */
  ERR_DATA: { exit: 5, status: 422 },
  /** An attribute's value does not have the type that the index gives it. */
  ERR_ATTRIBUTE_TYPE: { exit: 5, status: 422 },
  /** A model's file is missing or does not fit the others. */
  ERR_MODEL: { exit: 3, status: 503 },
  /** The index was built with another model than the one opened. */
  ERR_MODEL_MISMATCH: { exit: 3, status: 409 },
  /** A model produced NaN or infinity, or its graph failed on an input. */
  ERR_MODEL_OUTPUT: { exit: 6, status: 500 },
  /** More work waits than can be done in time: shed before it started, to be tried again later. */
  ERR_OVERLOADED: { exit: 4, status: 429 },
  /** The deadline passed while the work still waited: it never started. */
  ERR_DEADLINE: { exit: 4, status: 503 },
  /** A request bears no key, or one that is not known. */
  ERR_UNAUTHORIZED: { exit: 2, status: 401 },
  /** The key of a request does not allow what it asks for, or its Host is not one that is served. */
  ERR_FORBIDDEN: { exit: 2, status: 403 },
  /** A request's body took too long to arrive. */
  ERR_TIMEOUT: { exit: 6, status: 408 },
  /** A request is larger than the server takes. */
  ERR_TOO_LARGE: { exit: 2, status: 413 },
  /** A request's body is of a media type that its route does not read. */
  ERR_MEDIA_TYPE: { exit: 2, status: 415 },
  /** The address that a server is to listen on is taken, or not there. */
  ERR_LISTEN: { exit: 4, status: 500 },
  /** Interrupted by the user. */
  ERR_INTERRUPTED: { exit: 130, status: 499 },
  /** A defect of Seine itself. */
  ERR_INTERNAL: { exit: 6, status: 500 },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** What every failure of Seine is: one sentence, a stable `code`, and the original error as `cause` if there is one. */
export class SeineError extends Error {
  override readonly name = 'SeineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Exit status of a command that ends with this error. */
  get exit(): number {
    return ERRORS[this.code].exit;
  }

  /** HTTP status of a request that ends with this error. */
  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** How a value is shown in an error: short, typed, on one line. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') {
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name} of ${'length' in value ? value.length : value.byteLength}`;
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`;
  return String(value);
}
