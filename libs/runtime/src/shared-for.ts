/**
 * One call for all who ask while it runs, or within `ms` of its beginning. What was rejected is asked for again, and so is
 * what is not to be kept.
 */
export function sharedFor<T>(
  ms: number,
  call: () => Promise<T>,
  isKept: (result: T) => boolean = () => true,
): () => Promise<T> {
  let last = { at: -Infinity, result: null as Promise<T> | null };
  return () => {
    if (last.result !== null && performance.now() - last.at < ms) return last.result;
    const asked = { at: performance.now(), result: call() };
    last = asked;
    const forget = () => {
      if (last === asked) last = { at: -Infinity, result: null };
    };
    asked.result.then((result) => {
      if (!isKept(result)) forget();
    }, forget);
    return asked.result;
  };
}
