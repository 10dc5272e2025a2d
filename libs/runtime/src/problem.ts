import type { Problem } from '@expunge/contracts';

/** A readiness check failed, and the cause has a code: for people and for the diagnosis. */
export class CheckError extends Error {
  override readonly name = 'CheckError';

  /** `status` is the HTTP status, where the store answered with one. */
  constructor(
    readonly code: string,
    message: string,
    readonly status?: number,
  ) {
    super(message);
  }
}

/** Shapes of what a check may throw; each property may be missing. */
interface Thrown {
  message?: unknown;
  code?: unknown;
  /** MongoDB's own name of its numeric code. */
  codeName?: unknown;
  status?: unknown;
  errors?: unknown;
}

const LONGEST_MESSAGE = 300;

/** What is told of an error: its own code, or `otherwise`; and a message that is `tellable`. */
export function problemOf(error: unknown, otherwise = 'CHECK_FAILED'): Problem {
  const { code, codeName, status } = Object(error) as Thrown;
  const own = [codeName, code].find((name): name is string => typeof name === 'string' && name !== '');
  return {
    code: own ?? otherwise,
    message: tellable(messageOf(error)),
    ...(typeof status === 'number' ? { status } : {}),
  };
}

/** Scheme, user and password, host and path, query. */
const URLS = /([a-z][a-z\d+.-]*:\/\/)([^\s"']*@)?([^\s"'?]*)(\?[^\s"']*)?/gi;

/** Without what may be secret in a URL: user, password, query. No longer than `longest` characters. */
export function tellable(text: string, longest = LONGEST_MESSAGE): string {
  const without = text.replaceAll(
    URLS,
    (_, scheme: string, user: string | undefined, where: string, query: string | undefined) =>
      `${scheme}${user ? '***@' : ''}${where}${query ? '?***' : ''}`,
  );
  return without.length <= longest ? without : `${without.slice(0, longest - 1)}…`;
}

/** Node says why none of a host's addresses answered in `errors`, and nothing in `message`. */
function messageOf(error: unknown): string {
  const { message, errors } = Object(error) as Thrown;
  if (typeof message === 'string' && message !== '') return message;
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
  return first === undefined ? String(error) : messageOf(first);
}

/** Whether checks fail that did not, or succeed again, or fail for another reason; not made yet is like neither. */
export function isOtherTrouble(before: Problems | undefined, now: Problems): boolean {
  return before === undefined || written(before) !== written(now);
}

export type Problems = Record<string, Problem>;

const written = (problems: Problems): string =>
  JSON.stringify(
    Object.entries(problems)
      .map(([name, { code }]) => [name, code])
      .sort(),
  );
