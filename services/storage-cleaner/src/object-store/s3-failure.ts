import type { Refusal } from './object-store.js';

const reset = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Shapes of what the SDK and Node throw; each property may be missing. */
interface Thrown {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  errors?: unknown;
  $metadata?: { httpStatusCode?: unknown };
  $response?: { statusCode?: unknown };
  $fault?: unknown;
}

/**
 * Reads what a call threw: the store's own code, or TIMEOUT, CONNECTION_RESET, UNREACHABLE, UNREADABLE_ANSWER, HTTP_<status>.
 * @returns null when it is none of these, which makes it a bug
 */
export function refusalOf(error: unknown): Refusal | null {
  if (typeof error !== 'object' || error === null) return null;
  const thrown = error as Thrown;
  const message = messageOf(thrown);
  const status = statusOf(thrown);
  if (status !== null) return { code: storeCodeOf(thrown, status), message, status };
  // Before the name: the SDK also calls a reset connection a TimeoutError.
  if (typeof thrown.code === 'string') {
    if (reset.has(thrown.code)) return { code: 'CONNECTION_RESET', message, status: null };
    return { code: thrown.code === 'ETIMEDOUT' ? 'TIMEOUT' : 'UNREACHABLE', message, status: null };
  }
  if (thrown.name === 'AbortError' || thrown.name === 'TimeoutError') return { code: 'TIMEOUT', message, status: null };
  return null;
}

function storeCodeOf(thrown: Thrown, status: number): string {
  // An exception of the service has a `$fault`; anything else is an answer that was no XML, a proxy's page for instance.
  if (thrown.$fault !== undefined && typeof thrown.name === 'string' && !/^(Unknown|Error$)/.test(thrown.name)) {
    return thrown.name;
  }
  return status < 300 ? 'UNREADABLE_ANSWER' : `HTTP_${status}`;
}

function statusOf(thrown: Thrown): number | null {
  const status = thrown.$metadata?.httpStatusCode ?? thrown.$response?.statusCode;
  return typeof status === 'number' ? status : null;
}

function messageOf(thrown: Thrown): string {
  // Node says why none of a host's addresses answered in `errors`, and nothing in `message`.
  const [first] = Array.isArray(thrown.errors) ? (thrown.errors as unknown[]) : [];
  const message = typeof thrown.message === 'string' && thrown.message !== '' ? thrown.message : undefined;
  return (message ?? (first instanceof Error ? first.message : 'no message')).split('\n', 1)[0] ?? '';
}
