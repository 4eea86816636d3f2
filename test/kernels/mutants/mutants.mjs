// Small faults in the kernels and in what drives them: each one must be found by a test. scripts/testMutants.mjs
// puts them in, one at a time. README.md in this folder: outcome.
import { certify } from './certify.mjs';
import { cpp } from './cpp.mjs';
import { cppLists } from './cppLists.mjs';
import { cuda } from './cuda.mjs';
import { cudaCertify } from './cudaCertify.mjs';
import { cudaGraphs } from './cudaGraphs.mjs';
import { cudaHost } from './cudaHost.mjs';
import { cudaLists } from './cudaLists.mjs';
import { cppFeatures, cppWeighedCodes, cudaFeatures, wgslFeatures } from './features.mjs';
import { filter } from './filter.mjs';
import { cppMaxsim, cudaMaxsim, wgslMaxsim } from './maxsim.mjs';
import { wgsl } from './wgsl.mjs';
import { wgslCertify } from './wgslCertify.mjs';
import { wgslLists } from './wgslLists.mjs';

const of = (device, list) => list.map((mutant) => ({ device, ...mutant }));

/** @type {import('./mutants.d.mts').Mutant[]} */
export const mutants = [
  ...of('cuda', [...cuda, ...cudaCertify, ...cudaGraphs, ...cudaHost, ...cudaLists, ...cudaFeatures]),
  ...of('cuda', [...cudaMaxsim, ...filter.cuda]),
  ...of('webgpu', [...wgsl, ...wgslCertify, ...wgslLists, ...wgslFeatures, ...wgslMaxsim, ...filter.webgpu]),
  ...of('cpu', [...cpp, ...certify, ...cppLists, ...cppFeatures, ...cppWeighedCodes]),
  ...of('cpu', [...filter.cpu, ...cppMaxsim]),
];

/** `source` with the fault, or an error if its place is not there exactly once. */
export function mutate(source, { name, file, find, replace }) {
  const places = source.split(find).length - 1;
  if (places === 1) return source.replace(find, () => replace);
  throw new Error(
    `The mutant "${name}" must apply exactly once, but its text is ${places} times in ${file}.`,
  );
}
