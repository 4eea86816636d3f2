/**
 * Importing this file makes sure that `Symbol.asyncDispose` exists before a class names a method by it: Node adds
 * it to its main realm only, so a `vm` context of Node 20 has none.
 */
if (Symbol.asyncDispose === undefined) {
  Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol('Symbol.asyncDispose') });
}
