/** One call for all who ask while it runs, or within `ms` of its beginning. What was rejected is asked for again. */
export function sharedFor<T>(ms: number, call: () => Promise<T>): () => Promise<T> {
  let last = { at: -Infinity, result: null as Promise<T> | null };
  return () => {
    if (last.result !== null && performance.now() - last.at < ms) return last.result;
    const asked = { at: performance.now(), result: call() };
    last = asked;
    asked.result.catch(() => {
      if (last === asked) last = { at: -Infinity, result: null };
    });
    return asked.result;
  };
}
