/** Every problem this service answers with: its code, HTTP status and title. The code is what a client may switch on. */
export const problemKinds = {
  'malformed-request': [400, 'The request cannot be read'],
  'invalid-request': [400, 'The request is not valid'],
  unauthenticated: [401, 'A valid bearer token is required'],
  'insufficient-scope': [403, 'The token does not permit this'],
  'not-found': [404, 'There is no such thing'],
  'request-timeout': [408, 'The request did not arrive in time'],
  'not-allowed': [409, 'The job is in a state that does not permit this'],
  'missing-index': [409, 'The collection lacks an index that deleting needs'],
  'based-on-mismatch': [412, 'The dry run is of something else'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body is not of a supported media type'],
  'idempotency-key-reused': [422, 'The idempotency key belongs to another request'],
  'too-many-requests': [429, 'Too many requests'],
  'too-many-streams': [429, 'Too many streams are open'],
  'headers-too-large': [431, 'The headers are too large'],
  'internal-error': [500, 'Something failed that should not'],
  'not-accepted': [503, 'The request was not accepted, nothing will happen'],
  'no-listener': [503, 'Nobody would do what was asked for'],
  'not-all-paused': [503, 'Some jobs may not have been asked to pause'],
  'outcome-unknown': [503, 'Whether the request was accepted is not known'],
  'keys-unavailable': [503, 'Tokens cannot be checked'],
  'monitor-unreachable': [503, 'No monitor answers'],
  'store-unavailable': [503, 'A store does not answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problemKinds;

/** One thing that is wrong, and where: a JSON pointer into the body, or the name of a query parameter or header. */
export type FieldError = { detail: string } & ({ pointer: string } | { parameter: string } | { header: string });

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: FieldError[];
  [extension: string]: unknown;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export function problem(code: ProblemCode, detail: string, extensions: Record<string, unknown> = {}): Problem {
  const [status, title] = problemKinds[code];
  return { type: `urn:expunge:problem:${code}`, title, status, detail, code, ...extensions };
}

/** Ends a request with a problem; headers go along with it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(
    code: ProblemCode,
    detail: string,
    extensions: Record<string, unknown> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.problem = problem(code, detail, extensions);
  }
}

/** 400 with every error found; the detail names the first few. */
export function invalid(errors: FieldError[]): ProblemError {
  const named = errors.slice(0, 3).map((error) => `${whereOf(error)} ${error.detail}`);
  const more = errors.length > 3 ? [`and ${String(errors.length - 3)} more`] : [];
  return new ProblemError('invalid-request', [...named, ...more].join('; '), { errors: errors.slice(0, 100) });
}

function whereOf(error: FieldError): string {
  if ('parameter' in error) return error.parameter;
  if ('header' in error) return error.header;
  return error.pointer === '' ? 'the body' : error.pointer.slice(1).replaceAll('/', '.');
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
