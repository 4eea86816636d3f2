import { SeineError, show } from '../../core/errors.ts';
import { readLines } from '../../core/readLines.ts';

/**
 * The texts of a file: of `.jsonl` the fields title and text of each line, else each line. Errors: `ERR_NOT_FOUND`,
 * `ERR_DATA` at a line without text or if there are fewer than two.
 */
export async function calibrationTexts(path: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text, place } of readLines(path)) {
    texts.push(path.endsWith('.jsonl') ? textOf(text, place) : text);
  }
  if (texts.length > 1) return texts;
  throw new SeineError(
    'ERR_DATA',
    `${path} should hold at least two texts, some to calibrate and some to measure with, but holds ${texts.length}: ` +
      'give some hundred.',
  );
}

function textOf(line: string, place: string): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw new SeineError('ERR_DATA', `${place} should be JSON but is not: correct the line.`, { cause });
  }
  const { title, text } = (record ?? {}) as { title?: unknown; text?: unknown };
  if (typeof text !== 'string') {
    throw new SeineError(
      'ERR_DATA',
      `${place} should have a string text, got ${show(text)}: correct the line.`,
    );
  }
  return typeof title === 'string' && title !== '' ? `${title} ${text}` : text;
}
