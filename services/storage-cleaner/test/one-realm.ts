// Jest runs a test in a context whose Error is not Node's own, so the SDK takes a network error for none and wraps it,
// which it does not outside of Jest.
const inherited = Function.prototype[Symbol.hasInstance];
Object.defineProperty(Error, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    return (
      inherited.call(this as () => void, value) ||
      (this === Error && Object.prototype.toString.call(value) === '[object Error]')
    );
  },
});
