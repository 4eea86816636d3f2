// What ptxas makes of the CUDA kernels, per kernel and architecture. Run as a program it writes the table that
// test/kernels/scanCuda.test.ts compares with: node scripts/ptxas.mjs
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
export const PTXAS_TABLE = join(root, 'test/kernels/ptxas.json');
export const ARCHITECTURES = ['sm_80', 'sm_90a'];
const FLAGS = '-std=c++17 -O3 -Werror all-warnings -Xcompiler -Wall,-Wextra -Xptxas -v -c';
const SOURCES = ['certify', 'filter', 'maxsim', 'merge', 'rescore', 'scan', 'scanSelect'];

/** The version of nvcc, like `13.0.88`, or undefined where there is none. */
export function nvccVersion() {
  try {
    return /release [\d.]+, V([\d.]+)/.exec(execFileSync('nvcc', ['--version'], { encoding: 'utf8' }))?.[1];
  } catch {
    return undefined;
  }
}

/** Compiles for an architecture; one row a kernel, by name. Any warning is an error. */
export async function compileKernels(arch) {
  const folder = mkdtempSync(join(tmpdir(), 'seine-nvcc-'));
  try {
    const gencode = `arch=${arch.replace('sm', 'compute')},code=${arch}`;
    const rows = [];
    for (const source of SOURCES) {
      const files = [`kernels/${source}.cu`, '-o', join(folder, `${source}.o`)];
      const args = [...FLAGS.split(' '), '-gencode', gencode, ...files];
      const { stderr } = await promisify(execFile)('nvcc', args, { cwd: root });
      const parts = stderr.split(/(?=ptxas info\s*: Compiling entry function )/).slice(1);
      rows.push(...parts.map((part) => rowOf(part, arch)));
    }
    return rows.sort((a, b) => (a.kernel < b.kernel ? -1 : 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rowOf(part, arch) {
  const [, mangled] = /entry function '(\w+)'/.exec(part);
  const number = (pattern) => Number(pattern.exec(part)?.[1] ?? 0);
  return {
    kernel: nameOf(mangled),
    arch,
    registers: number(/Used (\d+) registers/),
    shared: number(/(\d+) bytes smem/),
    spills: number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/),
  };
}

/** `scoreRows<3, 0, 32, 8>` of `_ZN5seine4cuda…9scoreRowsILNS_5DtypeE3ELb0ELj32ELj8EEEv…`. */
function nameOf(mangled) {
  let rest = mangled.slice('_ZN'.length);
  let name = '';
  for (let match = /^\d+/.exec(rest); match !== null; match = /^\d+/.exec(rest)) {
    const length = Number(match[0]);
    name = rest.slice(match[0].length, match[0].length + length);
    rest = rest.slice(match[0].length + length);
  }
  const values = [
    ...(/^I((?:L(?:[a-z]|NS_(?:5Dtype|6Metric|8FilterOp)E)\d+E)+)E/.exec(rest)?.[1] ?? '').matchAll(
      /L(?:[a-z]|NS_(?:5Dtype|6Metric|8FilterOp)E)(\d+)E/g,
    ),
  ];
  return values.length === 0 ? name : `${name}<${values.map((match) => match[1]).join(', ')}>`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tables = await Promise.all(ARCHITECTURES.map(compileKernels));
  const rows = tables.flat().map((row) => `    ${JSON.stringify(row)}`);
  writeFileSync(
    PTXAS_TABLE,
    `{\n  "nvcc": "${nvccVersion()}",\n  "kernels": [\n${rows.join(',\n')}\n  ]\n}\n`,
  );
}
