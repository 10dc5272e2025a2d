import type { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiParameters } from 'zod-openapi';
import type { Scope } from '../auth/claims.js';
import type { ProblemCode } from '../problems/problem.js';
import { problemResponses } from './problem-responses.js';

interface Described {
  id: string;
  tag: 'Jobs' | 'Operations';
  summary: string;
  description?: string;
  scope: Scope;
  params?: ZodOpenApiParameters;
  /** Of a body that may be left out, `optional`. Whoever tries it on the page begins with the example. */
  body?: { schema: z.ZodType; optional?: boolean; example?: unknown };
  answer: { status: 200 | 202; schema: z.ZodType; description: string; headers?: z.ZodObject };
  problems: ProblemCode[];
}

/** One operation that needs a token, in the terms of OpenAPI 3.1. */
export function operation(described: Described): ZodOpenApiOperationObject {
  const { id, tag, summary, description, scope, params, body, answer, problems } = described;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: [{ bearer: [scope] }],
    ...(params && { requestParams: params }),
    ...(body && {
      requestBody: {
        required: !body.optional,
        content: { 'application/json': { schema: body.schema, ...('example' in body && { example: body.example }) } },
      },
    }),
    responses: {
      [`${answer.status}`]: {
        description: answer.description,
        ...(answer.headers && { headers: answer.headers }),
        content: { 'application/json': { schema: answer.schema } },
      },
      ...problemResponses(...problems),
    },
  };
}
