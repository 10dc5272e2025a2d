import { setTimeout } from 'node:timers/promises';
import { TransientError } from '@expunge/messaging';
import {
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import type { Logger } from 'pino';
import { endWritesWithTheirConnection } from './driver-writes.js';
import { CheckError } from './problem.js';
import { within } from './readiness.js';
import { writeConcernOf } from './write-concern.js';

endWritesWithTheirConnection();

const CONNECT_AGAIN_MS = 500;
/** Less than a readiness check may take: then it says why. */
const PING_WITHIN_MS = 1500;

/** A MongoDB server; connects at first use and again after every loss. A write that was acknowledged stays. */
export interface Store {
  db(name?: string): Db;
  /** @throws CheckError UNREACHABLE, TIMEOUT; the server's own error when it answers and refuses */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export function openStore(url: string, name: string, log: Logger): Store {
  const client = new MongoClient(url, {
    appName: name,
    writeConcern: writeConcernOf(url),
    readPreference: 'primary',
    serverSelectionTimeoutMS: 3000,
    connectTimeoutMS: 3000,
    // A frozen server answers nothing: without this an operation would wait as long as it is frozen.
    socketTimeoutMS: 60_000,
    heartbeatFrequencyMS: 2000,
    maxPoolSize: 20,
    // An id beyond 2^53 must come back as it was written.
    useBigInt64: true,
  });
  const closed = new AbortController();
  void connect(client, closed.signal);
  let failure: Error | null = null;
  client.on('serverHeartbeatFailed', (event) => {
    failure = event.failure;
    log.debug({ err: event.failure, store: name }, 'store does not answer');
  });
  // Not when one succeeds: of a server that has become silent nothing is said before the look at it is given up.
  client.on('serverHeartbeatStarted', () => {
    failure = null;
  });
  const ping = () => client.db('admin').command({ ping: 1 }, { timeoutMS: PING_WITHIN_MS });
  return {
    db: (database) => client.db(database),
    ping: async () => {
      await within(PING_WITHIN_MS, ping()).catch((error: unknown) => {
        throw failedPing(error, failure);
      });
    },
    close: async () => {
      closed.abort();
      await client.close();
    },
  };
}

/** The driver recovers a connection it once had; one that never came about it gives up, and every later call with it. */
async function connect(client: MongoClient, closed: AbortSignal): Promise<void> {
  while (!closed.aborted) {
    try {
      await client.connect();
      return;
    } catch {
      // Said by whoever uses the store, and by readiness.
      await setTimeout(CONNECT_AGAIN_MS, undefined, { ref: false });
    }
  }
}

/** A ping waits for a server and says only that there is none: what the driver's own look at it met says why. */
function failedPing(error: unknown, failure: Error | null): unknown {
  if (!(error instanceof CheckError) && !isStoreUnavailable(error)) return error;
  const cause = failure ?? error;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new CheckError(isSilence(cause) ? 'TIMEOUT' : 'UNREACHABLE', message);
}

/** Without a failure of its look, the driver gives up a server that has said nothing: it finds none, and begins anew. */
const isSilence = (cause: unknown): boolean =>
  cause instanceof CheckError ||
  (cause instanceof MongoError && /Timeout|ServerSelection|TopologyClosed/.test(cause.name));

/** Codes of a server that is going away, overloaded, no longer primary, or told to stop: the same command may succeed later. */
const passing = new Set([
  6, 7, 24, 43, 50, 63, 89, 91, 100, 112, 133, 134, 175, 189, 202, 237, 262, 317, 358, 384, 462, 9001, 10107, 11600,
  11601, 11602, 13435, 13436, 50915,
]);

// The driver lets some of the socket's own errors through as they are.
const socketCodes = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNREFUSED',
  'ENOENT',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
]);
const isSocketError = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'syscall' in error &&
  'code' in error &&
  socketCodes.has(String(error.code));

/** Whether a driver's error says that the server is away, overloaded or no longer primary. */
export function isStoreUnavailable(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (isSocketError(error)) return true;
  // The driver gives a bulk write that got no answer the form of an answer without errors.
  if (error instanceof MongoBulkWriteError && isStoreUnavailable(error.errorResponse)) return true;
  if (!(error instanceof MongoError)) return false;
  if (error.hasErrorLabel('RetryableWriteError') || error.hasErrorLabel('SystemOverloadedError')) return true;
  if (
    /^Mongo(PoolCleared|WaitQueueTimeout|NotConnected|TopologyClosed|OperationTimeout|ExpiredSession)/.test(error.name)
  )
    return true;
  return error instanceof MongoServerError && typeof error.code === 'number' && passing.has(error.code);
}

/**
 * Runs a call of the driver and translates its errors, once.
 * @throws TransientError with `code` when the store is unreachable or overloaded; anything else as it is
 */
export async function asStoreError<T>(code: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isStoreUnavailable(error)) {
      throw new TransientError(code, error instanceof Error ? error.message : String(error), { cause: error });
    }
    throw error;
  }
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000;
}

/** False when there is one of its id, or of another key that has to be the only one. */
export async function isFirst(insert: () => Promise<unknown>): Promise<boolean> {
  try {
    await insert();
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
