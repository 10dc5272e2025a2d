import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { Scope } from '../auth/claims.js';
import { ControlBody, RateBody } from '../control/control-request.js';
import {
  AcceptedJob,
  PresentedEvents,
  PresentedFailures,
  PresentedJobs,
  PresentedState,
  ShownJob,
} from '../jobs/job-answers.js';
import { JobBody } from '../jobs/job-request.js';
import {
  EventsParameters,
  FailuresParameters,
  JobParameters,
  ListParameters,
  StreamParameters,
} from '../jobs/list-query.js';
import { PresentedDiagnosis } from '../operations/operation-answers.js';
import type { ProblemCode } from '../problems/problem.js';
import { operation } from './operation.js';
import { problemResponses } from './problem-responses.js';

const path = z.object({ id: z.string().meta({ description: 'Of a job.' }) });
export const IdempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'The same key with the same body is the same request, however often it arrives; with another body it is a 422.',
    ),
});
const Prefer = z.object({
  Prefer: z
    .string()
    .optional()
    .describe('`handling=strict` (RFC 7240): 503 `no-listener` where nobody would do what is asked for.'),
});

const Accepted = z.object({
  Location: z.string().describe('Of the job.'),
  'Preference-Applied': z.string().optional().describe('`handling=strict`: each step has somebody who takes it.'),
});

const unread: ProblemCode[] = ['not-found', 'monitor-unreachable', 'store-unavailable'];
const body: ProblemCode[] = ['malformed-request', 'body-too-large', 'unsupported-media-type'];
const refusedRequest: ProblemCode[] = ['not-allowed', 'idempotency-key-reused', 'not-accepted', 'outcome-unknown'];

/** What is sent without a change deletes nothing. */
const aDryRun = {
  resource: 'receipts',
  selection: { filter: { total: { gte: 100 } } },
  options: { dry_run: true },
  reason: 'contract ended',
};

const steer = (verb: string, summary: string, description: string) =>
  operation({
    id: `${verb}Job`,
    tag: 'Jobs',
    summary,
    description,
    scope: 'jobs:write',
    params: { path, header: IdempotencyKey },
    body: { schema: ControlBody, optional: true },
    answer: { status: 202, schema: ShownJob, description: 'The broker has the request; the deleter decides.' },
    problems: [...body, ...unread, ...refusedRequest],
  });

const streamJob = {
  operationId: 'streamJob',
  tags: ['Jobs'],
  summary: 'Follow a job',
  description:
    'Server-sent events: `event` (one of the job, its id is the position), `job` (as it is now), `end`. Ended when the job is.',
  security: [{ bearer: ['jobs:read' satisfies Scope] }],
  requestParams: {
    path,
    query: StreamParameters,
    header: z.object({ 'Last-Event-ID': z.string().optional().describe('Of whoever comes back.') }),
  },
  responses: {
    '200': { description: 'The stream.', content: { 'text/event-stream': { schema: z.string() } } },
    '204': { description: 'The job is over, and there is nothing behind `Last-Event-ID`.' },
    ...problemResponses(...unread, 'too-many-streams'),
  },
} satisfies ZodOpenApiOperationObject;

export const jobPaths: ZodOpenApiPathsObject = {
  '/api/jobs': {
    post: operation({
      id: 'createJob',
      tag: 'Jobs',
      summary: 'Request a deletion',
      description:
        'Of records of one resource and tenant, and every file they own. Records created after `requested_at` are not touched. A member that is not known is refused, never ignored.',
      scope: 'jobs:write',
      params: { header: IdempotencyKey.extend(Prefer.shape) },
      body: { schema: JobBody, example: aDryRun },
      answer: {
        status: 202,
        schema: AcceptedJob,
        description: 'The request is stored and the broker has confirmed it: it will be carried out.',
        headers: Accepted,
      },
      problems: [
        ...body,
        'missing-index',
        'based-on-mismatch',
        'idempotency-key-reused',
        'not-accepted',
        'no-listener',
        'outcome-unknown',
        'monitor-unreachable',
        'store-unavailable',
      ],
    }),
    get: operation({
      id: 'listJobs',
      tag: 'Jobs',
      summary: 'The jobs of the tenant, newest first',
      scope: 'jobs:read',
      params: { query: ListParameters },
      answer: { status: 200, schema: PresentedJobs, description: 'A page of them.' },
      problems: ['monitor-unreachable'],
    }),
  },
  '/api/jobs/{id}': {
    get: operation({
      id: 'getJob',
      tag: 'Jobs',
      summary: 'One job, as it is or was',
      scope: 'jobs:read',
      params: { path, query: JobParameters },
      answer: {
        status: 200,
        schema: z.union([ShownJob, PresentedState]),
        description: 'The job; with `at`, as it was told then.',
      },
      problems: unread,
    }),
    patch: operation({
      id: 'changeRate',
      tag: 'Jobs',
      summary: 'Change the rate of a job',
      scope: 'jobs:write',
      params: { path, header: IdempotencyKey },
      body: { schema: RateBody },
      answer: { status: 202, schema: ShownJob, description: 'The broker has the request; the deleter decides.' },
      problems: [...body, ...unread, ...refusedRequest],
    }),
  },
  '/api/jobs/{id}/events': {
    get: operation({
      id: 'listEvents',
      tag: 'Jobs',
      summary: 'What became of a job',
      description: 'Every event of it that was heard, in that order.',
      scope: 'jobs:read',
      params: { path, query: EventsParameters },
      answer: { status: 200, schema: PresentedEvents, description: 'A page of them.' },
      problems: unread,
    }),
  },
  '/api/jobs/{id}/stream': { get: streamJob },
  '/api/jobs/{id}/failures': {
    get: operation({
      id: 'listFailures',
      tag: 'Jobs',
      summary: 'What a job has left',
      scope: 'jobs:read',
      params: { path, query: FailuresParameters },
      answer: { status: 200, schema: PresentedFailures, description: 'A page of them.' },
      problems: ['not-found', 'monitor-unreachable'],
    }),
  },
  '/api/jobs/{id}/diagnosis': {
    get: operation({
      id: 'diagnoseJob',
      tag: 'Jobs',
      summary: 'Why a job does not move',
      scope: 'jobs:read',
      params: { path },
      answer: { status: 200, schema: PresentedDiagnosis, description: 'The verdict, with its evidence.' },
      problems: unread,
    }),
  },
  '/api/jobs/{id}/pause': {
    post: steer('pause', 'Pause a job', 'Once the batch under way is done, no record goes.'),
  },
  '/api/jobs/{id}/resume': { post: steer('resume', 'Resume a job', 'It goes on where it was.') },
  '/api/jobs/{id}/cancel': {
    post: steer('cancel', 'Cancel a job', 'No further record goes. Objects of those already deleted are still purged.'),
  },
  '/api/jobs/{id}/retry': {
    post: steer('retry', 'Retry a job', 'One that failed goes on; purges that failed are asked for again.'),
  },
  '/api/jobs/{id}/confirm': { post: steer('confirm', 'Confirm a job', 'One that waits for it goes on.') },
};
