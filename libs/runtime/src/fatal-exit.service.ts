import type { ErrorInfo } from '@expunge/contracts';
import { type HeartbeatSnapshot, type Identity, sayLastWords } from '@expunge/messaging';
import type { Logger } from 'pino';
import { problemOf, tellable } from './problem.js';
import { SettingsError } from './settings.js';

/** What of its life a process is in; the code of its last words, and the line in its log. */
const causes = {
  START_FAILED: 'could not start',
  STOP_FAILED: 'could not stop in order',
  UNCAUGHT_EXCEPTION: 'uncaughtException',
  UNHANDLED_REJECTION: 'unhandledRejection',
} as const;
export type FatalCause = keyof typeof causes;

const SETTINGS_EXIT_CODE = 78;
/** A line for each setting that is wrong. */
const LONGEST_SETTINGS_ERROR = 2_000;

export interface FatalExitOptions {
  identity: Identity;
  log: Logger;
  /** The broker's; without it only the log is told. */
  url: string | undefined;
}

/** The end of a process that cannot go on: one line in the log, last words to whoever listens to heartbeats, and out. */
export class FatalExit {
  #ending: Promise<never> | undefined;
  /** Of a service that was under way: what it was doing, and how to have no heartbeat follow the last words. */
  running: { snapshot: () => HeartbeatSnapshot; silence: () => void } | undefined;

  /** Exports the spans that are left. */
  lastSpans: (() => Promise<void>) | undefined;

  constructor(private readonly options: FatalExitOptions) {}

  /** What else goes wrong meanwhile is not told. Settings that are wrong are printed as they are, and exit with 78. */
  end(cause: FatalCause, error: unknown): Promise<never> {
    return (this.#ending ??= this.#end(cause, error));
  }

  async #end(cause: FatalCause, error: unknown): Promise<never> {
    const { identity, log, url } = this.options;
    const [code, told] = error instanceof SettingsError ? settingsEnd(error) : [1, fatalErrorOf(cause, error)];
    if (error instanceof SettingsError) process.stderr.write(`${identity.service} cannot start:\n${error.message}\n`);
    else log.fatal({ err: error }, causes[cause]);
    this.running?.silence();
    if (url !== undefined) await sayLastWords({ url, identity, code, error: told, snapshot: this.#snapshot() });
    await this.lastSpans?.();
    process.exit(code);
  }

  #snapshot(): HeartbeatSnapshot | undefined {
    try {
      return this.running?.snapshot();
    } catch {
      // What ends the process may be what makes it fail.
      return undefined;
    }
  }
}

const settingsEnd = ({ message }: SettingsError): [number, ErrorInfo] => [
  SETTINGS_EXIT_CODE,
  { code: 'SETTINGS_INVALID', message: tellable(message, LONGEST_SETTINGS_ERROR) },
];

/** Its own code (`EADDRINUSE`, `ERR_MODULE_NOT_FOUND`) goes before the message, which need not hold it. */
function fatalErrorOf(cause: FatalCause, error: unknown): ErrorInfo {
  const { code, message } = problemOf(error, '');
  return { code: cause, message: code === '' || message.includes(code) ? message : tellable(`${code}: ${message}`) };
}
