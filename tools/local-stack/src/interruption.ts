import { onNpmGone } from './process/npm.js';

/**
 * Says why we are to end: the first SIGINT, SIGTERM or SIGHUP, or the end of npm.
 * A second signal ends this process at once, and with it all it guards.
 */
export function interruption(): Promise<string> {
  return new Promise((resolve) => {
    let interrupted = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (interrupted) process.exit(130);
        interrupted = true;
        resolve(signal);
      });
    }
    onNpmGone(() => resolve('npm has ended'));
  });
}
