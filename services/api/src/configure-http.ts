import { LOGGER } from '@expunge/runtime';
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { BODY_LIMIT_BYTES } from './problems/problem-of.js';
import { ProblemFilter } from './problems/problem.filter.js';

/** Body limit and problems, also for what fails before a route is found. */
export function configureHttp(app: INestApplication): void {
  const http = app as NestExpressApplication;
  http.disable('x-powered-by');
  http.useBodyParser('json', { limit: BODY_LIMIT_BYTES });
  http.useGlobalFilters(new ProblemFilter(app.get<Logger>(LOGGER)));
}
