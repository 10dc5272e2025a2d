import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { PROBLEM_CONTENT_TYPE, problem, type ProblemCode, problemKinds } from '../problems/problem.js';

const detail = z.string();
const FieldError = z.union([
  z.object({ detail, pointer: z.string().describe('Into the body, by RFC 6901.') }),
  z.object({ detail, parameter: z.string() }),
  z.object({ detail, header: z.string() }),
]);

export const ProblemAnswer = z
  .looseObject({
    type: z.string().describe('`urn:expunge:problem:` and the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]]),
    trace_id: z.string().describe('By which the log, and the trace if there is one, are found.'),
    errors: z.array(FieldError).optional().describe('Each thing that is wrong, and where.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

/** What may befall any request that needs a token; `invalid-request` of its query, at least. */
const always: readonly ProblemCode[] = [
  'invalid-request',
  'unauthenticated',
  'insufficient-scope',
  'too-many-requests',
  'internal-error',
  'keys-unavailable',
];

const Later = z.object({ 'Retry-After': z.int().nonnegative().describe('Seconds after which to try again.') });
const Challenge = z.object({ 'WWW-Authenticate': z.string().describe('What is wrong with the token (RFC 6750, 3).') });
const headersOf: Partial<Record<number, z.ZodObject>> = { 401: Challenge, 403: Challenge, 429: Later, 503: Later };

/** Responses by status; of several codes of one status, each is named. */
export function problemResponses(...codes: ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(new Set([...codes, ...always]), (code) => problemKinds[code][0]);
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, of] of byStatus) {
    const headers = headersOf[status];
    responses[`${status}`] = {
      description: of.map((code) => `\`${code}\`: ${problemKinds[code][1]}.`).join('\n\n'),
      ...(headers && { headers }),
      content: { [PROBLEM_CONTENT_TYPE]: { schema: ProblemAnswer, examples: examplesOf(of) } },
    };
  }
  return responses;
}

const examplesOf = (codes: readonly ProblemCode[]) =>
  Object.fromEntries(
    codes.map((code) => [
      code,
      { value: { ...problem(code, `${problemKinds[code][1]}.`), trace_id: '0af7651916cd43dd8448eb211c80319c' } },
    ]),
  );
