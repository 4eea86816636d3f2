import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axe from 'axe-core';
import { speedPage } from '../../bench/browser/speedPage.ts';
import { type GpuPage, openGpuPage } from '../helpers/gpuPage.ts';
import { withoutChromium } from '../helpers/launchBrowser.ts';

const suite = withoutChromium ? describe.skip : describe;

suite('the page that measures the GPU', () => {
  let gpu: GpuPage;
  const errors: string[] = [];
  beforeAll(async () => {
    gpu = await openGpuPage({ html: speedPage() });
    gpu.page.on('pageerror', ({ message }) => errors.push(message));
  });
  afterAll(() => gpu?.close());

  test.each(['cosine', 'ip', 'l2'])(
    'scans, agrees with the reference and shows its figures: %s',
    async (metric) => {
      const { page } = gpu;
      await page.goto(`${gpu.url}?seconds=0`);
      await page.getByLabel('Rows').fill('3000');
      await page.getByLabel('Dimensions').fill('33');
      await page.getByLabel('Metric').selectOption(metric);
      await page.getByRole('button', { name: 'Measure' }).click();
      await page.locator('#result').waitFor({ timeout: 40_000 });
      expect(await page.locator('#result h2').textContent()).toBe(`3,000 rows of 33 dimensions, ${metric}`);
      expect(await page.locator('#check').textContent()).toMatch(/^40 of 40 .* id and score\.$/);
      expect(await page.locator('#adapter').textContent()).toBe('google swiftshader (WebGPU)');
      const lines = await page
        .locator('tbody tr')
        .evaluateAll((rows) =>
          rows.map((row) =>
            Array.from(row.children as Iterable<{ textContent: string }>, (cell) => cell.textContent),
          ),
        );
      expect(lines.map(([queries]) => queries)).toEqual(['1', '8', '64']);
      for (const line of lines)
        for (const cell of line) expect(cell).toMatch(/^[\d,]+(?:\.\d+)?(?: million)?$/);
      expect(errors).toEqual([]);
    },
  );

  test('asks for nothing but itself', () => {
    expect(gpu.requests.filter((path) => !/^\/(?:\?seconds=0)?$/.test(path))).toEqual([]);
  });

  test('shows the error where a setting is wrong', async () => {
    const { page } = gpu;
    await page.goto(gpu.url);
    await page.getByLabel('Dimensions').fill('0');
    await page.evaluate("document.querySelector('form').noValidate = true");
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByText('dim must be a whole number from 1').waitFor();
  });

  test.each(['light', 'dark'] as const)('can be read by all: %s', async (colorScheme) => {
    const { page } = gpu;
    await page.emulateMedia({ colorScheme });
    await page.evaluate("document.querySelector('#result').hidden = false");
    await page.evaluate(axe.source);
    const report = await page.evaluate('axe.run()');
    const { violations } = report as { violations: { id: string }[] };
    expect(violations.map(({ id }) => id)).toEqual([]);
  });
});
