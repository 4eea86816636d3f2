import { type Device, type Metric, openWebgpu } from '../../../dist/browser/webgpu.js';
import { type BatchTime, type Measured, measure } from './measure.ts';

const at = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;
const form = at<HTMLFormElement>('form');
const button = at<HTMLButtonElement>('button');
const progress = at('#progress');
/** `?seconds=5` times each batch size for longer. */
const seconds = Number(new URLSearchParams(location.search).get('seconds') ?? 1);

const figure = (value: number, digits: number) =>
  value.toLocaleString('en', { maximumFractionDigits: digits });

function show({ batches, sampled, equal }: Measured, title: string): void {
  at('#result h2').textContent = title;
  const check = at('#check');
  check.className = equal === sampled ? 'good' : 'bad';
  check.textContent =
    `${equal} of ${sampled} sampled results are those of the float64 reference, id and score` +
    (equal === sampled ? '.' : ': this is a defect, of Seine or of the driver; please report it.');
  at('#result tbody').replaceChildren(...batches.map(line));
  at<HTMLElement>('#result').hidden = false;
}

function line({ queries, searches, medianMs, rowsPerSecond, bytesPerSecond }: BatchTime): Element {
  const row = document.createElement('tr');
  const cells = [
    figure(queries, 0),
    figure(searches, 0),
    figure(medianMs, 2),
    `${figure(rowsPerSecond / 1e6, 1)} million`,
    figure(bytesPerSecond / 1e9, 1),
  ];
  for (const text of cells) {
    const cell = row.insertCell();
    cell.className = 'number';
    cell.textContent = text;
  }
  return row;
}

async function run(device: Device): Promise<void> {
  const given = new FormData(form);
  const [rows, dim] = [Number(given.get('rows')), Number(given.get('dim'))];
  const metric = given.get('metric') as Metric;
  button.disabled = true;
  try {
    const measured = await measure(device, { rows, dim, metric, seconds }, (text) => {
      progress.textContent = text;
    });
    show(measured, `${figure(rows, 0)} rows of ${dim} dimensions, ${metric}`);
    progress.textContent = '';
  } catch (error) {
    progress.textContent = (error as Error).message;
  } finally {
    button.disabled = false;
  }
}

try {
  const device = await openWebgpu();
  at('#adapter').textContent = device.description;
  button.disabled = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run(device);
  });
} catch (error) {
  at('#adapter').textContent = (error as Error).message;
}
