import { STYLE } from '../../ts/report/style.ts';

/** A chart of a report as an SVG file that stands alone, light or dark as its reader has it. */
export function picture(figure: string): string {
  const svg = /<svg.*<\/svg>/s.exec(figure)?.[0];
  if (svg === undefined) throw new Error('a figure should hold an svg element');
  const ground = '<rect width="100%" height="100%" style="fill: var(--panel)"/>';
  const font = 'svg { font: 12px system-ui, sans-serif; }';
  return `${svg.replace(/<svg([^>]*)>/, `<svg xmlns="http://www.w3.org/2000/svg"$1><style>${STYLE}${font}</style>${ground}`)}\n`;
}
