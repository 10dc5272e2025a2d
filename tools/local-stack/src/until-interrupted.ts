/** Resolves with the first SIGINT, SIGTERM or SIGHUP; a second one ends this process at once, and with it all it guards. */
export function interruption(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let interrupted = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (interrupted) process.exit(130);
        interrupted = true;
        resolve(signal);
      });
    }
  });
}
