import type { LoggerService } from '@nestjs/common';
import { traceIds } from '@expunge/telemetry';
import { type Logger, pino } from 'pino';
import type { Identity } from './identity.js';

export const LOGGER = Symbol('Logger');

/** JSON lines, or readable ones on a terminal; service and instance on each, and the span under way. */
export function createLogger(identity: Identity, level: string, production: boolean): Logger {
  const readable = !production && process.stdout.isTTY;
  return pino({
    level,
    base: { service: identity.service, instance: identity.instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => traceIds() ?? {},
    ...(readable
      ? {
          transport: {
            target: 'pino-pretty',
            options: { messageFormat: '{instance} {msg}', ignore: 'pid,hostname,service,instance' },
          },
        }
      : {}),
  });
}

/** The framework's own lines, through the same logger; `errors` is the level at which its errors are. */
export function frameworkLogger(log: Logger, errors: () => 'error' | 'debug' = () => 'error'): LoggerService {
  const write =
    (level: () => 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]) => {
      const context = rest.findLast((part) => typeof part === 'string');
      log[level()]({ context, ...(message instanceof Error ? { err: message } : {}) }, String(message));
    };
  return {
    log: write(() => 'debug'),
    debug: write(() => 'debug'),
    verbose: write(() => 'debug'),
    warn: write(() => 'warn'),
    error: write(errors),
    fatal: write(() => 'fatal'),
  };
}
