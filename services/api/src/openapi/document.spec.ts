import { describe, expect, it } from '@jest/globals';
import { receipts } from '@expunge/contracts';
import { parseJobRequest } from '../jobs/job-request.js';
import { openApiOf } from './document.js';
import { ProblemAnswer } from './problem-responses.js';

interface Media {
  example?: unknown;
  examples?: Record<string, { value: { code: string; status: number } }>;
}
interface Operation {
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}

const document = openApiOf('1.2.3');
const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>);
const operations = paths.flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

describe('an example', () => {
  it('of a deletion can be sent as it is, and deletes nothing', () => {
    const { operation } = operations.find(({ path, method }) => `${method} ${path}` === 'POST /api/jobs')!;
    const example = operation.requestBody?.content['application/json']?.example;
    expect(parseJobRequest(example, new Map([[receipts.name, receipts]]))).toMatchObject({
      ok: true,
      request: { options: { dryRun: true } },
    });
  });

  it('of each problem is one of its status, as it is described', () => {
    const told = operations.flatMap(({ operation }) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) =>
        Object.entries(content?.['application/problem+json']?.examples ?? {}).map(([code, { value }]) => {
          expect([value.code, `${value.status}`]).toEqual([code, status]);
          return ProblemAnswer.safeParse(value).success;
        }),
      ),
    );
    expect(told.length).toBeGreaterThan(operations.length * 5);
    expect(told).not.toContain(false);
  });

  it('is no made-up moment, and no number that is only the greatest', () => {
    const text = JSON.stringify(document);
    expect(text.match(/"format":"date-time"/g)?.length).toBe(text.match(/"examples":\["2026-/g)?.length);
    expect(text).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });
});
