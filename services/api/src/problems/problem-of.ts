import { maxHeaderSize } from 'node:http';
import { TransientError } from '@expunge/messaging';
import { HttpException } from '@nestjs/common';
import { type Problem, problem, type ProblemCode, ProblemError } from './problem.js';

export interface Answer {
  problem: Problem;
  headers: Readonly<Record<string, string>>;
  /** The error is ours to look into, and goes to the log. */
  unexpected: boolean;
}

/**
 * The problem for whatever was thrown: by us, the framework or its body parser.
 * Texts of errors that are not ours never reach the client: they quote bodies, paths and addresses.
 */
export function problemOf(thrown: unknown, url: string): Answer {
  // What our own check of a body throws comes wrapped by the parser and the framework, as a 403.
  const isWrapped = thrown instanceof HttpException && thrown.cause instanceof ProblemError;
  const error = isWrapped ? thrown.cause : thrown;
  if (error instanceof ProblemError) return { problem: error.problem, headers: error.headers, unexpected: false };
  if (error instanceof TransientError) {
    const detail = 'A store or the broker does not answer; try again.';
    return { problem: problem('store-unavailable', detail), headers: { 'Retry-After': '2' }, unexpected: true };
  }
  const known = byStatus[statusOf(error)];
  if (known) return { problem: problem(known(url).code, known(url).detail), headers: {}, unexpected: false };
  const detail = 'The request ended with an error; the log has it.';
  return { problem: problem('internal-error', detail), headers: {}, unexpected: true };
}

export const BODY_LIMIT_BYTES = 1_048_576;

const byStatus: Partial<Record<number, (url: string) => { code: ProblemCode; detail: string }>> = {
  400: (url) => ({
    code: 'malformed-request',
    detail: isWellFormedUrl(url)
      ? 'The body is not well-formed JSON, or does not match its Content-Length or Content-Encoding.'
      : 'The address is not well-formed.',
  }),
  404: () => ({ code: 'not-found', detail: 'There is no such address, or not with this method.' }),
  413: () => ({ code: 'body-too-large', detail: `A body may have at most ${String(BODY_LIMIT_BYTES)} bytes.` }),
  415: () => ({ code: 'unsupported-media-type', detail: 'The body must be JSON in UTF-8.' }),
};

/** For what Node itself refuses, by the code of its error: there was no request that could be handed on. */
export function problemOfConnection(code: string | undefined): Problem {
  const [known, detail] = byParserCode[code ?? ''] ?? ['malformed-request', 'This is not well-formed HTTP/1.1.'];
  return problem(known, detail);
}

const byParserCode: Partial<Record<string, [code: ProblemCode, detail: string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', `Address and headers together may have at most ${maxHeaderSize} bytes.`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'The extensions of a chunk are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request took too long to arrive.'],
};

/** The framework's exceptions say it by `getStatus`, the body parser's errors by `status`. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof SyntaxError || error instanceof URIError) return 400;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : 500;
}

function isWellFormedUrl(url: string): boolean {
  try {
    decodeURI(url);
    return true;
  } catch {
    return false;
  }
}
