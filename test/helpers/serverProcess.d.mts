/** What the process holds after a collection, in bytes. */
export type Memory = NodeJS.MemoryUsage;

/** `seine serve` in a process of its own. */
export class ServerProcess {
  /** Starts it and waits until it is ready. `settings` are those of a configuration file; `node` are flags of Node. */
  static start(settings: Record<string, unknown>, node?: string[]): Promise<ServerProcess>;
  /** Ends those that a failed test has left. */
  static killAll(): Promise<void>;
  readonly url: string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last of what it wrote to its standard output and error. */
  output: string;
  get running(): boolean;
  memory(): Promise<Memory>;
  /** Delay of the event loop since this was last asked, in milliseconds. */
  loop(): Promise<{ p99: number; longest: number }>;
  terminateRanker(): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and waits for the end: its exit code, or the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}
