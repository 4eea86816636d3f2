import { readFileSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { STYLE } from '../../ts/report/style.ts';

const FOLDER = 'bench/browser/page';

/** The page that measures the visitor's GPU, as one file: style and script inside, nothing loaded from anywhere. */
export function speedPage(): string {
  const { outputFiles } = buildSync({
    entryPoints: [`${FOLDER}/main.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
  });
  const style = STYLE + readFileSync(`${FOLDER}/form.css`, 'utf8');
  return readFileSync(`${FOLDER}/index.html`, 'utf8')
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace(/(<script[^>]*>)/, (tag) => `${tag}\n${outputFiles[0]!.text}`);
}
