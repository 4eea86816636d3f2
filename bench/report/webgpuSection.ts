import { escapeHtml, section, table } from '../../ts/report/html.ts';
import type { WebgpuResult } from './results.ts';

/** Time against other libraries on the same adapter, and what a search moves. */
export function webgpuSection({ note, cases, queriesPerPass }: WebgpuResult): string {
  const engines = [...new Set(cases.flatMap(({ median }) => Object.keys(median)))];
  const times = cases.map(({ batch, median, ratio }) => [
    String(batch),
    ...engines.map((name) => {
      const { ms } = median[name] ?? { ms: 'missing' };
      return ratio[name] === undefined ? String(ms) : `${ms} (×${ratio[name].median})`;
    }),
  ]);
  const moved = cases.flatMap(({ batch, work }) =>
    Object.entries(work).map(([name, one]) =>
      [batch, name, one.ofFloor, one.submits, one.dispatches, one.bytesRead].map(String),
    ),
  );
  return section(
    'WebGPU',
    `<p>${escapeHtml(note)}</p>` +
      table(
        ['queries', ...engines].map((title) => ({ title, numeric: true })),
        times,
      ) +
      table(
        [
          'queries',
          '',
          `bytes moved, of one reading for ${queriesPerPass} queries`,
          'submits',
          'dispatches',
          'bytes read back',
        ].map((title, i) => ({ title, numeric: i !== 1 })),
        moved,
      ),
  );
}
