import { escapeHtml, section, table } from '../../ts/report/html.ts';
import type { RooflineResult } from './results.ts';

/** What the CUDA kernels could reach by a model, marked as such. */
export function rooflineSection({ note, occupancy, certified, maxsim }: RooflineResult): string {
  const columns = (titles: string[], names: number) =>
    titles.map((title, i) => ({ title, numeric: i >= names }));
  return section(
    'CUDA: a model, not a measurement',
    `<p class="warning">${escapeHtml(note)}</p><h3>Certified scan</h3>` +
      table(
        columns(['GPU', 'bound by', 'rows', 'dim', 'batch', 'ms', 'queries a second'], 2),
        certified.map(({ gpu, bound, rows, dim, batch, ms, queriesPerSecond }) => [
          gpu,
          bound,
          ...[rows, dim, batch, ms, queriesPerSecond].map((value) => value.toLocaleString('en-US')),
        ]),
      ) +
      '<h3>Maxsim, float16</h3>' +
      table(
        columns(
          [
            ...['GPU', 'bound by', 'documents', 'tokens each', 'tokens of a query', 'dim', 'batch', 'ms'],
            'queries a second',
          ],
          2,
        ),
        maxsim.map(({ gpu, bound, documents, tokens, queryTokens, dim, batch, ms, queriesPerSecond }) => [
          gpu,
          bound,
          ...[documents, tokens, queryTokens, dim, batch, ms, queriesPerSecond].map((value) =>
            value.toLocaleString('en-US'),
          ),
        ]),
      ) +
      '<details><summary>Occupancy of every kernel</summary>' +
      table(
        columns(
          ['kernel', 'GPU', 'limit', 'registers', 'shared memory', 'spills', 'blocks', 'occupancy %'],
          3,
        ),
        occupancy.map((one) => [
          one.kernel,
          one.gpu,
          one.limit,
          ...[one.registers, one.shared, one.spills, one.blocks, Math.round(one.occupancy * 100)].map(String),
        ]),
      ) +
      '</details>',
  );
}
