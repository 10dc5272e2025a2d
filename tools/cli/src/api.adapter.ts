import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection.js';

/** What a problem says (RFC 9457), as far as it is shown. */
export interface Problem {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly title?: string;
  readonly trace_id?: string;
  readonly [extension: string]: unknown;
}

/** The API answered, and not with what was asked for. */
export class ProblemAnswer extends Error {
  override readonly name = 'ProblemAnswer';

  constructor(readonly problem: Problem) {
    const { code, detail, title, status } = problem;
    super([code ?? `HTTP ${status}`, detail ?? title].filter(Boolean).join(': '));
  }

  /** It says to try again: the same may succeed later. */
  get isForNow(): boolean {
    return this.problem.status === 429 || this.problem.status >= 500;
  }

  /** How long it asks to be left alone: by `Retry-After`, seconds or a date, half a minute at most. */
  get retryAfterMs(): number {
    const said = String(this.problem['retry_after']);
    const ms = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
    return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), LONGEST_PAUSE_MS);
  }
}

/** Nobody answered. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const ANSWER_WITHIN_MS = 35_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** The HTTP API, as whoever holds the token sees it. */
export class Api {
  constructor(private readonly connection: Connection) {}

  /**
   * What may be asked twice is, when nobody answers or the API says to try again: reads, and requests with an
   * `Idempotency-Key`.
   *
   * @throws ProblemAnswer, Unreachable
   */
  async ask<T>(path: string, asking: Asking = {}): Promise<T> {
    const isRepeatable = (asking.method ?? 'GET') === 'GET' || asking.headers?.['idempotency-key'] !== undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.send(path, asking, AbortSignal.timeout(ANSWER_WITHIN_MS));
        return (await readJson(answer)) as T;
      } catch (error) {
        const pauseMs = pauseAfter(error, attempt);
        if (pauseMs === null || !isRepeatable || attempt === ATTEMPTS) throw error;
        await delay(pauseMs);
      }
    }
  }

  /**
   * Opens a stream of server-sent events; null: there is nothing more to come.
   *
   * @throws ProblemAnswer, Unreachable
   */
  async stream(path: string, lastEventId: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    const headers = { accept: 'text/event-stream', ...(lastEventId !== '' && { 'last-event-id': lastEventId }) };
    const answer = await this.send(path, { headers }, signal);
    return answer.status === 204 ? null : answer.body;
  }

  private async send(path: string, { method = 'GET', body, headers = {} }: Asking, signal: AbortSignal) {
    const { api, token } = this.connection;
    let answer: Response;
    try {
      answer = await fetch(`${api}/api${path}`, {
        method,
        // A redirect would take the token to somebody else.
        redirect: 'error',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal,
      });
    } catch (error) {
      throw new Unreachable(`${api} does not answer: ${reasonOf(error)}`, { cause: error });
    }
    if (answer.ok) return answer;
    const said = await answer.text().catch(() => '');
    throw new ProblemAnswer({
      ...problemIn(said),
      status: answer.status,
      retry_after: answer.headers.get('retry-after'),
    });
  }
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    throw new Unreachable(`${answer.url} did not finish its answer: ${reasonOf(error)}`, { cause: error });
  }
}

/** null: it would be the same again. */
function pauseAfter(error: unknown, attempt: number): number | null {
  const usual = FIRST_PAUSE_MS * 2 ** (attempt - 1);
  if (error instanceof Unreachable) return usual;
  if (!(error instanceof ProblemAnswer) || !error.isForNow) return null;
  return Math.max(usual, error.retryAfterMs);
}

function problemIn(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {
    // Not ours: a proxy's page, maybe.
  }
  return {};
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
