import { isIP } from 'node:net';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine reaches a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** A Host header, as it is and without its port, in lower case. */
export function hostNames(header: string | undefined): string[] {
  const host = (header ?? '').toLowerCase();
  return [host, host.replace(/:\d*$/, '')];
}

/**
 * Values of the Host header that are answered, or `undefined` for any. Without keys a web page could otherwise reach
 * a server on loopback by letting its own name resolve to 127.0.0.1 (DNS rebinding).
 */
export function servedHosts(
  host: string,
  allowedHosts: readonly string[],
  withKeys: boolean,
): Set<string> | undefined {
  if (withKeys && allowedHosts.length === 0) return undefined;
  const own = isIP(host) === 6 ? `[${host}]` : host;
  return new Set([...LOOPBACK_NAMES, own, ...allowedHosts].map((name) => name.toLowerCase()));
}
