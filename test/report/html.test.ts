import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapeHtml, figures, page, section, table } from '../../ts/report/html.ts';

test('markup and control characters are escaped', () => {
  expect(escapeHtml(`<script>"a" & 'b'</script>\u0000\u001b`)).toBe(
    '&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\ufffd\ufffd',
  );
});

test('no text gets out of where it is put', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const html = escapeHtml(text);
      expect(html).not.toMatch(/[<>"']/);
      expect(html.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
    }),
  );
});

test('a table escapes its cells but for those that are HTML', () => {
  const html = table([{ title: '<a>' }, { title: 'b', numeric: true }], [['<i>', { html: '<b>1</b>' }]]);
  expect(html).toContain('<th scope="col">&lt;a&gt;</th><th scope="col" class="number">b</th>');
  expect(html).toContain('<td>&lt;i&gt;</td><td class="number"><b>1</b></td>');
});

test('a page stands alone', () => {
  const cards = figures([{ label: '<1>', value: '"2"', note: '&' }]);
  const html = page('<title>', section('<h2>', cards));
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(html).toContain('<title>&lt;title&gt;</title>');
  expect(html).toContain('<h2>&lt;h2&gt;</h2>');
  expect(html).toContain('<span>&lt;1&gt;</span><strong>&quot;2&quot;</strong><small>&amp;</small>');
  expect(html).toContain("default-src 'none'");
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).not.toMatch(/https?:|<script|<link|<img|@import|url\(/);
});
