import { isUtf8 } from 'node:buffer';
import type { Server } from 'node:http';
import { LOGGER } from '@expunge/runtime';
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { Connections } from './connections.adapter.js';
import { refuseRepeatedMembers } from './json-body.js';
import { serveDocsAssets } from './openapi/docs-assets.js';
import { ProblemError } from './problems/problem.js';
import { BODY_LIMIT_BYTES } from './problems/problem-of.js';
import { ProblemFilter } from './problems/problem.filter.js';

/** Whoever sends more slowly is cut; Node looks every 30 s. */
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 30_000;
const IDLE_MS = 120_000;

/**
 * Limits and problems, also for what fails before a route is found.
 * @param idleMs as for `Connections`; a test's is shorter
 */
export function configureHttp(app: INestApplication, idleMs = IDLE_MS): void {
  const http = app as NestExpressApplication;
  http.disable('x-powered-by');
  const server = app.getHttpServer() as Server;
  server.headersTimeout = HEADERS_WITHIN_MS;
  server.requestTimeout = REQUEST_WITHIN_MS;
  new Connections(server, idleMs);
  // Nest's types keep `verify` to itself, for its `rawBody`, which nobody here asks for.
  const options = { limit: BODY_LIMIT_BYTES, verify: refuseUnsafe };
  http.useBodyParser('json', options);
  serveDocsAssets(http);
  http.useGlobalFilters(new ProblemFilter(app.get<Logger>(LOGGER)));
}

/** Before the parser, which would put U+FFFD for each byte it cannot read: a comparison with another value than was meant. */
function refuseUnsafe(_request: unknown, _response: unknown, body: Buffer, charset: string): void {
  if (charset !== 'utf-8') throw new ProblemError('unsupported-media-type', 'The body must be JSON in UTF-8.');
  if (!isUtf8(body)) throw new ProblemError('malformed-request', 'The body is not well-formed UTF-8.');
  // Without a mark at its beginning, as the parser reads it.
  if (body.length > 0) refuseRepeatedMembers(new TextDecoder().decode(body));
}
