// Text for a plain terminal of 80 columns. Colour only on a terminal, and never against NO_COLOR.
import { stripVTControlCharacters, styleText } from 'node:util';

const WIDTH = 80;
const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR;

export function style(format, text) {
  return coloured ? styleText(format, text) : text;
}

/** A whole number with thousands separated. */
export function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

export function heading(text) {
  return `\n${style('bold', text)}\n`;
}

/** Lines of at most `width` characters, broken between words; a text that fits keeps its blanks. */
function wrap(text, width) {
  if (text.length <= width) return [text];
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** A name and its value, which goes on under itself. */
export function field(name, value) {
  const indent = 13;
  return wrap(value, WIDTH - indent)
    .map((line, i) => style('dim', (i === 0 ? name : '').padEnd(indent)) + line)
    .join('\n');
}

/** A text of at most two lines. */
export function paragraph(text, indent) {
  const lines = wrap(text, WIDTH - indent);
  const shown = lines.length > 2 ? [lines[0], `${lines[1].slice(0, WIDTH - indent - 2)} …`] : lines;
  return shown.map((line) => ' '.repeat(indent) + line).join('\n');
}

/** Cells side by side, each cut or padded to its width; colours take no room. */
export function columns(widths, cells) {
  return cells
    .map((cell, i) => {
      const plain = stripVTControlCharacters(cell);
      const room = widths[i] - 1;
      const cut = plain.length <= room ? cell : cell.replace(plain, `${plain.slice(0, room - 1)}…`);
      return cut + ' '.repeat(Math.max(0, widths[i] - Math.min(plain.length, room)));
    })
    .join('')
    .trimEnd();
}
