import cliProgress from 'cli-progress';

export interface ProgressOptions {
  /** What is being done, in a word or two: `ingest`. */
  label: string;
  /** What is counted, in the plural: `documents`. */
  unit: string;
  /** How many there will be; leave out where nobody knows. */
  total?: number | undefined;
  /** Shows nothing at all. */
  quiet?: boolean | undefined;
  /** Where to write; standard error unless given. */
  stream?: (NodeJS.WritableStream & { isTTY?: boolean }) | undefined;
  /** Clock in milliseconds. */
  now?: (() => number) | undefined;
}

export interface ProgressReport {
  /** Part of the work that is done, 0 to 1; `done / total` unless given. */
  fraction?: number | undefined;
  /** Said at the end of the line. */
  note?: string | undefined;
}

/** A running display: a bar on a terminal, else a plain line every 10 % or every 10 seconds. */
export interface Progress {
  /** `done` counts units from the start, and never falls. */
  report(done: number, report?: ProgressReport): void;
  /** Ends the display; later reports show nothing. */
  stop(): void;
}

/** Rate and time left look back over this span, so that a fast or slow start is soon forgotten. */
const WINDOW_MS = 30_000;
const LINE_MS = 10_000;
const BAR_STEPS = 1000;

interface Sample {
  time: number;
  done: number;
  fraction: number | undefined;
}

/** Milliseconds as `850 ms`, `42 s`, `3 min 05 s` or `2 h 07 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  const padded = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${padded(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
}

/** A number with thousands separated: `10,968`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** What a window of samples says: `1,024 documents, 310 documents/s, 42 s left`. */
function describe(samples: Sample[], unit: string, note: string | undefined): string {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const elapsed = last.time - first.time;
  const parts = [`${count(last.done)} ${unit}`];
  if (elapsed > 0) {
    const rate = ((last.done - first.done) / elapsed) * 1000;
    parts.push(`${rate < 10 ? rate.toFixed(1) : count(rate)} ${unit}/s`);
    const progressed = (last.fraction ?? 0) - (first.fraction ?? 0);
    if (last.fraction !== undefined && last.fraction < 1 && progressed > 0) {
      parts.push(`${duration(((1 - last.fraction) * elapsed) / progressed)} left`);
    }
  }
  if (note !== undefined) parts.push(note);
  return parts.join(', ');
}

/** Starts a display of progress. Nothing is written before the first report. */
export function progress(options: ProgressOptions): Progress {
  const { label, unit, total } = options;
  const stream = options.stream ?? process.stderr;
  const now = options.now ?? (() => performance.now());
  if (options.quiet) return { report: () => {}, stop: () => {} };

  const samples: Sample[] = [{ time: now(), done: 0, fraction: 0 }];
  let bar: cliProgress.SingleBar | undefined;
  let stopped = false;
  let lastLine = samples[0]!.time;
  let lastTenth = 0;

  const draw = (fraction: number, text: string): void => {
    if (bar === undefined) {
      bar = new cliProgress.SingleBar({
        stream,
        format: `${label} {bar} {percentage} % | {text}`,
        barsize: 24,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: true,
        clearOnComplete: true,
        gracefulExit: false,
      });
      bar.start(BAR_STEPS, 0, { text });
    }
    bar.update(Math.floor(fraction * BAR_STEPS), { text });
  };

  const line = (time: number, fraction: number | undefined, text: string): void => {
    const tenth = Math.floor((fraction ?? 0) * 10);
    if (tenth <= lastTenth && time - lastLine < LINE_MS) return;
    lastTenth = Math.max(tenth, lastTenth);
    lastLine = time;
    stream.write(`${label}: ${fraction === undefined ? '' : `${Math.floor(fraction * 100)} %, `}${text}\n`);
  };

  return {
    report(done, report = {}) {
      if (stopped) return;
      const time = now();
      const given = report.fraction ?? (total ? done / total : undefined);
      const fraction = given === undefined ? undefined : Math.min(1, Math.max(0, given));
      samples.push({ time, done, fraction });
      while (samples.length > 2 && time - samples[1]!.time > WINDOW_MS) samples.shift();
      const text = describe(samples, unit, report.note);
      if (stream.isTTY && fraction !== undefined) draw(fraction, text);
      else line(time, fraction, text);
    },
    stop() {
      stopped = true;
      bar?.stop();
    },
  };
}
