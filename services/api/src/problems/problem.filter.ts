import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { PROBLEM_CONTENT_TYPE } from './problem.js';
import { problemOf } from './problem-of.js';
import { traceId } from './trace-id.js';

/** Every error of an HTTP request leaves as a problem; this is the one place that logs them. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const { problem, headers, unexpected } = problemOf(error, request.originalUrl);
    const trace_id = traceId();
    const { code } = problem;
    if (unexpected) this.log.error({ err: error, code, method: request.method, trace_id }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = JSON.stringify({ ...problem, trace_id });
    response.status(problem.status).set(headers).type(PROBLEM_CONTENT_TYPE).send(body);
  }
}
