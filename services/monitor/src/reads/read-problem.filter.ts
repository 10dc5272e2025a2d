import { type ReadProblem } from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { z } from 'zod';

interface HttpResponse {
  status(code: number): { json(body: unknown): void };
}

/** 400, 404 or 503, as JSON. */
export class ReadFailed extends HttpException {
  constructor(status: 400 | 404 | 503, code: ReadProblem['code'], message: string) {
    super({ code, message } satisfies ReadProblem, status);
  }
}

/** @throws ReadFailed naming the parameter */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
  throw new ReadFailed(400, 'invalid', problems.join('; '));
}

/** A database that is away is a 503, so that the api can ask another monitor. */
@Catch(TransientError)
export class ReadProblemFilter implements ExceptionFilter<TransientError> {
  catch(error: TransientError, host: ArgumentsHost): void {
    const problem: ReadProblem = { code: 'unavailable', message: `${error.code}: ${error.message}` };
    host.switchToHttp().getResponse<HttpResponse>().status(503).json(problem);
  }
}
