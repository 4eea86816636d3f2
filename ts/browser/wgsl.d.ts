/** A shader's text, which the build puts in the place of the import. */
declare module '*.wgsl' {
  const code: string;
  export default code;
}
